"""Partition, selection and checkpoint files."""

from __future__ import annotations

import json
import math
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from fa_mobile.errors import UserError
from fa_mobile.golden import edge_gain
from fa_mobile.nsma import (
    ARRAY_FILE,
    WEIGHTS_FILE,
    load_checkpoint,
    partition,
    save_checkpoint,
    subrange,
)
from fa_mobile.selection import select
from fa_mobile.sensor import SensorProfile
from tests.conftest import visible_array


@given(low=st.floats(1e-6, 1e-2), ratio=st.floats(1.5, 1e4), members=st.integers(1, 12))
def test_partition_is_even_in_log_a(low: float, ratio: float, members: int) -> None:
    edges = partition((low, low * ratio), members)
    assert len(edges) == members - 1
    bounds = np.log([low, *edges, low * ratio])
    assert np.diff(bounds) == pytest.approx([math.log(ratio) / members] * members, abs=1e-5)


@given(members=st.integers(1, 12), data=st.data())
def test_each_member_serves_its_subrange(members: int, data: st.DataObject) -> None:
    a_range = (2.35e-4, 1.504e-2)
    edges = partition(a_range, members)
    index = data.draw(st.integers(0, members - 1))
    low, high = subrange(a_range, edges, index)
    middle = math.sqrt(low * high)
    assert select(middle, edges) == index


@pytest.mark.parametrize("bad", [(0, 1), (2, 1), (1, math.inf), (math.nan, 1)])
def test_partition_refuses(bad: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must rise from above 0"):
        partition(bad, 4)
    with pytest.raises(ValueError, match="members=0"):
        partition((1, 2), 0)


def test_edge_gain_is_the_first_float_of_its_member(profile: SensorProfile) -> None:
    for index, edge in enumerate(partition(profile.a_range, 4), start=1):
        at = edge_gain(profile, edge)
        below = np.nextafter(at, np.float32(0))
        edges = partition(profile.a_range, 4)
        assert select(profile.a_float32(at), edges) == index
        assert select(profile.a_float32(below), edges) == index - 1


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    save_checkpoint(visible_array(2), tmp_path / "array")
    return tmp_path / "array"


def test_checkpoint_comes_back_the_same(folder: Path) -> None:
    saved, loaded = visible_array(2), load_checkpoint(folder)
    assert loaded.spec.model_copy(update={"weights_sha256": "0" * 64}) == saved.spec
    for name, value in saved.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])


def change_weights(folder: Path, change: dict[str, torch.Tensor | None]) -> None:
    tensors = safetensors.torch.load_file(folder / WEIGHTS_FILE)
    for name, value in change.items():
        if value is None:
            del tensors[name]
        else:
            tensors[name] = value
    safetensors.torch.save_file(tensors, folder / WEIGHTS_FILE)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"0.head.bias": None}, "missing 0.head.bias"),
        ({"0.surplus": torch.zeros(1)}, "not expected 0.surplus"),
        ({"1.head.bias": torch.zeros(3)}, r"1.head.bias has shape \[3\], not \[20\]"),
        ({"1.head.bias": torch.full((20,), torch.nan)}, "1.head.bias holds NaN"),
        ({"1.head.bias": torch.zeros(20)}, "has not the hash"),
    ],
)
def test_wrong_weights_are_refused(
    folder: Path, change: dict[str, torch.Tensor | None], message: str
) -> None:
    change_weights(folder, change)
    with pytest.raises(UserError, match=message):
        load_checkpoint(folder)


def test_another_network_s_weights_are_told_in_a_few_lines(folder: Path) -> None:
    names = list(safetensors.torch.load_file(folder / WEIGHTS_FILE))
    change_weights(folder, {name: torch.zeros(3, 1, 3) for name in names})
    with pytest.raises(UserError, match=rf"and {len(names) - 4} more\. Was it made") as refused:
        load_checkpoint(folder)
    assert str(refused.value).count("has shape") == 4


def test_pickle_is_never_loaded(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[object, ...]]:
            return (Path.touch, (tmp_path / "sprung",))

    (folder / WEIGHTS_FILE).write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UserError, match="not a safetensors file.*pickles are never loaded"):
        load_checkpoint(folder)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("members", 3, "members=3 needs 2 edges"),
        ("schema_version", 99, "schema_version.*given 99"),
        ("network", "unet", "'unet' is unknown; allowed are mobile, paper"),
        ("edges", [-1.0], "must rise from above 0"),
        ("surprise", 1, "surprise"),
    ],
)
def test_wrong_description_is_refused(
    folder: Path, field: str, value: object, message: str
) -> None:
    data = json.loads((folder / ARRAY_FILE).read_text())
    data[field] = value
    (folder / ARRAY_FILE).write_text(json.dumps(data))
    with pytest.raises(UserError, match=message):
        load_checkpoint(folder)


def test_missing_files_are_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=f"has no {ARRAY_FILE}"):
        load_checkpoint(tmp_path)
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(UserError, match=f"has no {WEIGHTS_FILE}"):
        load_checkpoint(folder)
    (folder / ARRAY_FILE).write_text("{")
    with pytest.raises(UserError, match="is not JSON"):
        load_checkpoint(folder)
