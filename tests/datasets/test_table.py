"""The table of formats, samples, and the folder of pairs."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from fa_mobile.datasets.sample import Dataset, Entry, Level, Region, Sample, Skipped
from fa_mobile.datasets.table import FORMAT_NAMES, FORMATS, format_named
from fa_mobile.errors import UserError
from fa_mobile.noise import NoiseParameters
from fa_mobile.sensor import SensorProfile
from tests.datasets import makers


def sample(**changes: Any) -> Sample:
    fields: dict[str, Any] = {
        "name": "one", "camera": "c", "level": Level("ISO 100", 100), "noisy": makers.clean(8, 8),
        "truth": makers.clean(8, 8), "cfa": "RGGB", "noise": makers.NOISE,
    }  # fmt: skip
    return Sample(**(fields | changes))


def test_every_format_can_be_opened_or_says_what_it_needs(
    tmp_path: Path, profile: SensorProfile
) -> None:
    assert len(set(FORMAT_NAMES)) == len(FORMATS)
    for layout in FORMATS:
        with pytest.raises(UserError, match=r"; |check|give"):
            layout.open(tmp_path, profile)
        with pytest.raises(UserError, match=f"is no folder; {layout.name} needs one with"):
            layout.open(tmp_path / "none", None)
        if layout.has_truth:
            with pytest.raises(ValueError, match="nothing is submitted"):
                layout.submit_to(tmp_path, "method")
    with pytest.raises(UserError, match="'sdid' was given; allowed are sidd, sidd-validation"):
        format_named("sdid")


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"truth": makers.clean(8, 6)}, "the truth is"),
        ({"noisy": makers.clean(1, 8)}, "at least 2 x 2"),
        ({"noisy": np.full((8, 8), np.inf, np.float32)}, "NaN or infinite"),
        ({"noise": NoiseParameters(0.0, 1e-5)}, "noise a=0"),
        ({"noise": NoiseParameters(1e-3, float("nan"))}, "b=nan"),
        ({"rois": (Region(0, 0, 9, 8),)}, "region (0, 0, 9, 8)"),
    ],
)
def test_samples_that_cannot_be_evaluated(changes: dict[str, Any], part: str) -> None:
    with pytest.raises(UserError) as refused:
        sample(**changes)
    assert part in str(refused.value) and "\n" not in str(refused.value)


def test_an_entry_that_breaks_off_loses_its_rest() -> None:
    def breaking() -> Any:
        yield sample()
        raise UserError("gone")

    dataset = Dataset("test", (Entry("a", breaking, 5), Entry("b", lambda: iter([sample()]))))
    items = list(dataset)
    assert len(dataset) == 6
    assert items[1] == Skipped("a", "gone", 4)
    assert [isinstance(item, Sample) for item in items] == [True, False, True]


class Pairs:
    """What ``open_pairs`` gives back."""

    def __init__(self, profile: SensorProfile, noise_from: str) -> None:
        self.index = SimpleNamespace(
            make="Sony", model="IMX258", profile=profile, noise_from=noise_from,
            pairs=[SimpleNamespace(name="desk-1"), SimpleNamespace(name="desk-2")],
        )  # fmt: skip

    def __getitem__(self, which: int) -> SimpleNamespace:
        if which == 1:
            raise UserError("truth/desk-2.tif is not the file that the index was made with")
        truth = makers.clean(10, 12) * 900 + 70
        return SimpleNamespace(
            noisy=np.round(truth).astype(np.uint16), truth=truth, gain=4.0, noise=makers.NOISE,
            black_level=(64.0, 65.0, 66.0, 67.0), white_level=1023.0,
        )  # fmt: skip


def test_pairs(tmp_path: Path, profile: SensorProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("fa_mobile.pairing.dataset")
    module.open_pairs = lambda folder: Pairs(profile, "dng")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "fa_mobile.pairing", ModuleType("fa_mobile.pairing"))
    monkeypatch.setitem(sys.modules, "fa_mobile.pairing.dataset", module)
    layout = format_named("pairs")
    dataset = layout.open(tmp_path)
    assert dataset.noise_kind == "as paired"  # its captures may be simulated
    assert dataset.notes == ("noise from the captures' NoiseProfile",)
    first, second = dataset
    assert isinstance(first, Sample) and first.truth is not None and first.color is not None
    assert (first.name, first.camera, first.level) == ("desk-1", "Sony IMX258", ("gain 4", 4))
    assert first.cfa == "RGGB" and first.noise == makers.NOISE
    assert first.color.red_gain == pytest.approx(1 / profile.as_shot_neutral[0])
    signal = makers.clean(10, 12)
    assert first.truth[0, 0] == pytest.approx((signal[0, 0] * 900 + 70 - 64) / (1023 - 64))
    assert first.truth[1, 1] == pytest.approx((signal[1, 1] * 900 + 70 - 67) / (1023 - 67))
    assert np.abs(first.noisy - first.truth).max() <= 0.5 / 956 + 1e-6
    assert isinstance(second, Skipped) and second.name == "desk-2"
    assert "not the file" in second.reason
    told, _ = again = layout.open(tmp_path, profile)
    assert isinstance(told, Sample) and told.noise == profile.noise(4.0)
    assert again.notes == ("noise by gain from profile imx258 (derived)",)


def test_no_reader_of_pairs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fa_mobile.pairing.dataset", None)
    with pytest.raises(UserError, match="cannot read folders of pairs"):
        format_named("pairs").open(tmp_path)


def test_the_document_has_every_format() -> None:
    document = Path(__file__).parents[2] / "docs" / "datasets.md"
    lines = document.read_text(encoding="utf-8").splitlines()
    _, *rows = [line for line in lines if line.startswith("| `")]
    assert [row.split("`")[1] for row in rows] == list(FORMAT_NAMES)
    for row, layout in zip(rows, FORMATS, strict=True):
        assert ("`--submit`" in row) == (not layout.has_truth)
