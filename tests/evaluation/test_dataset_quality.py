"""Evaluation on real captures: what denoisers are given, how they are scored and grouped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from fa_mobile import isp
from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, pack
from fa_mobile.datasets.sample import Dataset, Entry, Level, Region, Sample, Skipped
from fa_mobile.errors import UserError
from fa_mobile.evaluation.dataset_crops import SIDE, CropKeeper
from fa_mobile.evaluation.dataset_quality import evaluate_dataset
from fa_mobile.evaluation.dataset_report import to_html, to_markdown
from fa_mobile.evaluation.dataset_results import DatasetQuality
from fa_mobile.evaluation.measures import MEASURES, chosen_measures
from fa_mobile.evaluation.signals import aligned, denoise_signal
from fa_mobile.evaluation.subjects import Subject, gain_with, open_subject, open_subjects
from fa_mobile.noise import NoiseParameters
from fa_mobile.runtimes import session
from fa_mobile.sensor import SensorProfile, load_profile
from fa_mobile.simulation import sensor_color
from tests.datasets import makers
from tests.datasets.test_table import sample
from tests.fakes import fake_bundle

RAW_ONLY = chosen_measures([])


class Recorder:
    """Gives back its input, clipped, and keeps what it was given."""

    def __init__(self, profile: SensorProfile, name: str = "identity", **about: Any) -> None:
        self.seen: list[tuple[npt.NDArray[np.generic], NoiseParameters]] = []
        self.profile = profile
        self.subject = Subject(name, self.never, profile, self.by_noise, **about)

    def never(self, raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        raise AssertionError("datasets tell the noise")

    def by_noise(
        self, raw: npt.NDArray[np.generic], noise: NoiseParameters
    ) -> npt.NDArray[np.float32]:
        self.seen.append((raw, noise))
        return np.clip(raw, min(self.profile.black_level), self.profile.white_level)  # type: ignore[return-value]


def of(*samples: Sample) -> Dataset:
    return Dataset(
        "test", tuple(Entry(s.name, lambda s=s: iter([s])) for s in samples), ("a note",)
    )  # type: ignore[misc]


def evaluate(subjects: list[Subject], dataset: Dataset, **options: Any) -> DatasetQuality:
    return evaluate_dataset(
        subjects, dataset, "folder", options.pop("measures", RAW_ONLY), **options
    )


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
@pytest.mark.parametrize("shape", [(20, 26), (21, 27)])
def test_a_denoiser_gets_its_own_levels_and_pattern(
    cfa: CfaPattern, shape: tuple[int, int], profile: SensorProfile
) -> None:
    """Red comes first and the levels are the subject's, channel by channel, not rounded."""
    levels = profile.model_copy(update={"black_level": (60.0, 61.0, 62.0, 63.0)})
    signal = np.zeros(shape, np.float32)
    top, left = {"RGGB": (0, 0), "GRBG": (0, 1), "GBRG": (1, 0), "BGGR": (1, 1)}[cfa]
    for (row, col), value in {(0, 0): 0.1, (0, 1): 0.2, (1, 0): 0.3, (1, 1): 0.4}.items():
        signal[(top + row) % 2 :: 2, (left + col) % 2 :: 2] = value
    recorder = Recorder(levels)
    out = denoise_signal(recorder.subject, signal, cfa, makers.NOISE)
    ((raw, noise),) = recorder.seen
    assert noise == makers.NOISE and raw.shape[0] % 2 == raw.shape[1] % 2 == 0
    planes = pack(raw)
    for plane, black, value in zip(planes, levels.black_level, (0.1, 0.2, 0.3, 0.4), strict=True):
        assert plane == pytest.approx(value * (1023 - black) + black, abs=1e-3)
    assert out == pytest.approx(signal, abs=1e-6)


def test_samples_below_black_and_above_white(profile: SensorProfile) -> None:
    recorder = Recorder(profile)
    signal = np.array([[-0.2, 0.5], [1.4, 0.0]], np.float32)
    denoise_signal(recorder.subject, signal, "RGGB", makers.NOISE)
    assert recorder.seen[0][0] == pytest.approx(
        np.array([[64 - 0.2 * 959, 64 + 479.5], [1023, 64]]), abs=1e-3
    )


@pytest.mark.parametrize("cfa", CFA_PATTERNS)
def test_regions_shrink_to_whole_cells(cfa: CfaPattern) -> None:
    mosaic = np.fromfunction(lambda r, c: 10 * (r % 2) + c % 2, (20, 20)).astype(np.float32)
    red = {"RGGB": 0, "GRBG": 1, "GBRG": 10, "BGGR": 11}[cfa]
    for region in (Region(0, 0, 20, 20), Region(3, 4, 17, 19), Region(2, 5, 20, 18)):
        top, left, bottom, right = aligned(region, cfa)
        assert region.top <= top <= region.top + 1 and region.left <= left <= region.left + 1
        assert (bottom - top) % 2 == (right - left) % 2 == 0
        assert 0 <= region.bottom - bottom <= 1 and 0 <= region.right - right <= 1
        assert mosaic[top, left] == red


def test_numbers_are_those_of_scikit_image(profile: SensorProfile) -> None:
    truth = makers.clean(41, 60)
    one = sample(noisy=makers.noisy(truth), truth=truth, cfa="GRBG", rois=(Region(3, 4, 40, 57),))
    result = evaluate([Recorder(profile).subject], of(one), measures=MEASURES)
    a, b = (np.clip(s, 0, 1)[4:40, 5:57] for s in (one.noisy, truth))  # red is at odd columns
    color = sensor_color(profile)
    seen, wanted = (isp.render(np.ascontiguousarray(s), color) for s in (a, b))
    similar: dict[str, Any] = {
        "gaussian_weights": True, "use_sample_covariance": False, "data_range": 1.0,
        "channel_axis": -1,
    }  # fmt: skip
    packed = [np.moveaxis(pack(s), 0, -1).astype(np.float64) for s in (a, b)]
    expected = {
        "raw-psnr": peak_signal_noise_ratio(*(s.astype(np.float64) for s in (b, a)), data_range=1),
        "raw-ssim": structural_similarity(*packed, **similar),
        "rgb-psnr": peak_signal_noise_ratio(
            wanted.astype(np.float64), seen.astype(np.float64), data_range=1
        ),
        "rgb-ssim": structural_similarity(
            seen.astype(np.float64), wanted.astype(np.float64), **similar
        ),
    }
    (score,) = result.subjects[0].scores
    assert score.noisy == pytest.approx(expected, abs=1e-6)
    assert score.denoised == pytest.approx(expected, abs=1e-3)  # through DN and back


def test_groups_means_and_regions(profile: SensorProfile) -> None:
    truth = makers.clean(32, 32)
    quiet = NoiseParameters(1e-4, 1e-6)
    samples = [
        sample(name="a", truth=truth, noisy=makers.noisy(truth, seed=1), rois=(
            Region(0, 0, 16, 16), Region(16, 16, 32, 32)), level=Level("ISO 800", 800)),
        sample(name="b", truth=truth, noisy=makers.noisy(truth, quiet), noise=quiet),
        sample(name="c", truth=truth, noisy=makers.noisy(truth, seed=2),
               level=Level("ISO 800", 800)),
    ]  # fmt: skip
    calls: list[tuple[int, int]] = []
    one, two = Recorder(profile), Recorder(load_profile("oppo-reno-10x"), "other")
    result = evaluate([one.subject, two.subject], of(*samples), progress=lambda *c: calls.append(c))
    assert calls == [(1, 3), (2, 3), (3, 3)]
    first = result.subjects[0]
    assert [(s.level.label, s.regions) for s in first.scores] == [("ISO 100", 1), ("ISO 800", 3)]
    low, high = (score.noisy["raw-psnr"] for score in first.scores)
    assert low > high and first.mean[0]["raw-psnr"] == pytest.approx((low + 3 * high) / 4)
    # Each gets its own levels, all the same noise; results differ by rounding only.
    for (_, told), (_, other) in zip(one.seen, two.seen, strict=True):
        assert told == other
    assert result.subjects[1].mean[1] == pytest.approx(first.mean[1], abs=1e-3)
    # imx258 ends at a = 0.015 and begins at 2.35e-4, below which the quiet sample is.
    assert first.beyond == 1 and result.samples == 3 and result.cameras == ("c",)


def test_limit_and_crop(profile: SensorProfile) -> None:
    truth = makers.clean(31, 41)
    samples = [sample(name=str(i), noisy=truth, truth=truth, cfa="BGGR") for i in range(3)]
    recorder = Recorder(profile)
    result = evaluate([recorder.subject], of(*samples), limit=2, crop=16)
    assert result.samples == 2 and result.to_dict()["crop"] == 16
    assert recorder.seen[0][0].shape == (18, 18)  # 16, and mirrored to begin with red
    # An exact result is infinitely good, which JSON cannot say.
    mean: Any = result.to_dict()["mean"]
    assert mean["noisy_db"] is None and mean["noisy"] == {"raw-psnr": None}


def test_what_fails_is_counted_and_the_rest_goes_on(profile: SensorProfile) -> None:
    def broken() -> Any:
        raise UserError("no file")
        yield

    truth = makers.clean(32, 32)
    good = sample(name="good", noisy=makers.noisy(truth), truth=truth)
    dataset = Dataset("test", (
        Entry("bad", broken, 20),
        *of(sample(name="tiny"), sample(name="blind", truth=None), good).entries,
    ))  # fmt: skip
    result = evaluate([Recorder(profile).subject], dataset, measures=MEASURES)
    assert result.samples == 1 and result.lost == 22
    assert result.skipped[0] == Skipped("bad", "no file", 20)
    assert "too small; what is measured needs 22 x 22" in result.skipped[1].reason
    assert "has no truth" in result.skipped[2].reason
    data = result.to_dict()
    assert data["skipped"] == 22 and data["samples"] == 1
    with pytest.raises(UserError, match="none of folder's 20 samples.*the first: no file"):
        evaluate([Recorder(profile).subject], Dataset("test", (Entry("bad", broken, 20),)))
    with pytest.raises(UserError, match="cannot be told the noise"):
        evaluate([Subject("old", Recorder(profile).never, profile)], of(good))


def test_bundles_by_gain_are_told_the_gain_of_a(profile: SensorProfile) -> None:
    noise = NoiseParameters(profile.noise(8.0).a, 3 * profile.noise(8.0).b)
    assert gain_with(noise, profile) == pytest.approx(8.0)
    truth = makers.clean(32, 32)
    recorder = Recorder(profile, takes_gain=True)
    result = evaluate([recorder.subject], of(sample(noisy=truth, truth=truth, noise=noise)))
    assert result.subjects[0].told_b == pytest.approx(1 / 3)
    assert "0.33 times the samples' own" in to_markdown(result)
    oppo = load_profile("oppo-reno-10x")
    with pytest.raises(UserError, match="has it at no gain: take the checkpoint"):
        gain_with(NoiseParameters(5e-6, 1e-7), oppo)


@pytest.mark.parametrize("selector", ["gain", "noise-profile"])
def test_bundles_are_told_what_they_take(
    tmp_path: Path, profile: SensorProfile, monkeypatch: pytest.MonkeyPatch, selector: str
) -> None:
    bundle, model = fake_bundle(lambda raw, *scalars: raw, selector=selector)
    monkeypatch.setattr(session, "open_bundle", lambda folder: bundle)
    (tmp_path / "manifest.json").write_text("{}")
    subject = open_subject(tmp_path)
    noise = NoiseParameters(profile.noise(8.0).a, 1e-4)
    assert subject.by_noise is not None and subject.takes_gain == (selector == "gain")
    subject.by_noise(np.full((32, 32), 500, np.float32), noise)
    ((_, told),) = model.calls
    assert told == pytest.approx([8.0] if selector == "gain" else list(noise))


def test_checkpoints_are_told_the_noise_itself(checkpoint: Path, profile: SensorProfile) -> None:
    subject = open_subject(checkpoint)
    raw = np.random.default_rng(1).integers(64, 1024, (64, 96)).astype(np.float32)
    assert subject.by_noise is not None and not subject.takes_gain
    assert np.array_equal(subject.by_noise(raw, profile.noise(8.0)), subject.denoise(raw, 8.0))
    assert not np.array_equal(
        subject.by_noise(raw, NoiseParameters(profile.noise(8.0).a, 1e-4)),
        subject.denoise(raw, 8.0),
    )


def test_large_frames_go_through_checkpoints_in_tiles(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fa_mobile.evaluation import subjects

    raw = np.random.default_rng(1).integers(64, 1024, (150, 170)).astype(np.float32)
    whole = open_subject(checkpoint).denoise(raw, 16.0)
    monkeypatch.setattr(subjects, "_TILE", 32)
    tiled = open_subject(checkpoint).denoise(raw, 16.0)
    assert np.abs(tiled - whole).max() < 0.01


def test_classical_is_told_the_noise_too(checkpoint: Path, profile: SensorProfile) -> None:
    classical = open_subjects(["classical"], "imx258")[0]
    raw = np.random.default_rng(1).integers(64, 1024, (32, 32)).astype(np.uint16)
    assert classical.by_noise is not None
    assert np.array_equal(classical.by_noise(raw, profile.noise(8.0)), classical.denoise(raw, 8.0))


def test_subjects_of_other_sensors_may_meet(checkpoint: Path, tmp_path: Path) -> None:
    from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec, save_checkpoint

    spec = new_spec("oppo", "paper", load_profile("oppo-reno-10x"), 2)
    save_checkpoint(NoiseSubrangeModelArray.untrained(spec), tmp_path / "oppo")
    given = [str(checkpoint), str(tmp_path / "oppo")]
    with pytest.raises(UserError, match="other levels, colours or noise"):
        open_subjects(given)
    names = [s.profile.name for s in open_subjects(given, one_sensor=False)]
    assert names == ["imx258", "oppo-reno-10x"]


def test_crops_of_the_worst_and_the_best(profile: SensorProfile) -> None:
    truth = makers.clean(220, 240)
    quiet = NoiseParameters(1e-5, 1e-7)
    samples = [
        sample(name=name, truth=truth, noisy=makers.noisy(truth, noise), cfa="BGGR")
        for name, noise in (("middle", makers.NOISE), ("good", quiet),
                            ("bad", NoiseParameters(9e-3, 1e-3)))
    ]  # fmt: skip
    samples.append(sample(name="alone", truth=truth, noisy=makers.noisy(truth),
                          level=Level("ISO 50", 50)))  # fmt: skip
    keeper = CropKeeper()
    evaluate([Recorder(profile, "<b>odd</b>").subject], of(*samples), keeper=keeper)
    rows = keeper.rows()
    assert [(row.level.label, row.which, row.sample) for row in rows] == [
        ("ISO 50", "best", "alone"), ("ISO 100", "worst", "bad"), ("ISO 100", "best", "good"),
    ]  # fmt: skip
    captions = [panel.caption for panel in rows[1].panels]
    assert captions == ["noisy", "<b>odd</b>", "truth"]
    noisy, _, clean = (panel.picture.astype(float) for panel in rows[1].panels)
    assert noisy.shape == (SIDE, SIDE, 3) and noisy.std() > clean.std()


def test_reports(profile: SensorProfile) -> None:
    truth = makers.clean(32, 32)
    samples = [sample(name="<script>x</script>", noisy=makers.noisy(truth), truth=truth)]
    keeper = CropKeeper()
    subjects = [Recorder(profile).subject, Recorder(profile, "a|b").subject]
    result = evaluate(subjects, of(*samples, sample(name="<i>", truth=None)),
                      keeper=keeper, measures=MEASURES)  # fmt: skip
    page = to_html(result, keeper.rows())
    assert "<script" not in page and "&lt;script&gt;" in page and "<i>" not in page
    assert page.count("data:image/png;base64,") == 4 and "http" not in page
    text = to_markdown(result)
    psnr = result.subjects[0].mean[0]["raw-psnr"]
    for shown in (page, text):
        assert f"{psnr:.2f}" in shown and "RGB SSIM" in shown and "a note" in shown
        assert "1 skipped" in shown and "noise: real" in shown
    assert "a\\|b" in text
    assert text.count("| all | 1 |") == len(MEASURES)
