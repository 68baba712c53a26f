"""What several test files share: small arrays, captures, bundles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import nn

from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec
from fa_mobile.patches import Patches, clean_patches
from fa_mobile.sensor import SensorProfile, load_profile


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    """Small tensors on several threads take a hundred times as long where other work runs."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _subnormals() -> Iterator[None]:
    """Commands that train flush them to zero, which outlives a command run in this process."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture(scope="session")
def profile() -> SensorProfile:
    return load_profile("imx258")


@pytest.fixture(scope="session")
def patches() -> Patches:
    return clean_patches(None, count=6)


def visible_array(members: int, network: str = "paper", seed: int = 0) -> NoiseSubrangeModelArray:
    """Random members whose residuals are large and differ, so that a wrong one shows."""
    torch.manual_seed(seed)
    spec = new_spec("visible", network, load_profile("imx258"), members)
    array = NoiseSubrangeModelArray.untrained(spec)
    for member in array.networks:
        tail = [m for m in member.modules() if isinstance(m, nn.Conv2d)][-1]
        nn.init.normal_(tail.weight, std=0.03)
    return array.eval()


@pytest.fixture()
def mosaic() -> npt.NDArray[np.uint16]:
    """A mosaic of random DN, sides odd."""
    return np.random.default_rng(5).integers(0, 1024, (101, 75)).astype(np.uint16)


def write_recipe(folder: Path, tile: int) -> Path:
    """A recipe for ONNX fp32 with a checkpoint of two members beside it."""
    from fa_mobile.nsma import save_checkpoint

    save_checkpoint(visible_array(2), folder / "array")
    path = folder / "recipe.toml"
    path.write_text(
        f'schema_version = 1\nsensor = "imx258"\ncheckpoint = "array"\ntile = {tile}\n'
        '[[target]]\nname = "onnx"\nprecisions = ["fp32"]\n',
        encoding="utf-8",
    )
    return path


@pytest.fixture()
def tiny_recipe(tmp_path: Path) -> Path:
    return write_recipe(tmp_path, tile=128)
