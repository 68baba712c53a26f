"""Several subjects on the same captures, means, noise that differs from the profile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from skimage.data import chelsea

from fa_mobile.errors import UserError
from fa_mobile.evaluation import raw_psnr
from fa_mobile.evaluation.captures import NoiseScale, captures, central_crop, with_noise
from fa_mobile.evaluation.measures import MEASURES, chosen_measures
from fa_mobile.evaluation.quality import evaluate
from fa_mobile.evaluation.subjects import Subject
from fa_mobile.metrics import psnr
from fa_mobile.sensor import SensorProfile
from fa_mobile.simulation import simulate

RAW_ONLY = chosen_measures([])


class Recorder:
    """Gives back its input, clipped like a denoiser's output, and keeps it."""

    def __init__(self, profile: SensorProfile, name: str = "identity") -> None:
        self.seen: list[tuple[float, npt.NDArray[np.generic]]] = []
        self.subject = Subject(name, self.denoise, profile)

    def denoise(self, raw: npt.NDArray[np.generic], gain: float) -> npt.NDArray[np.float32]:
        self.seen.append((gain, raw))
        return np.clip(raw.astype(np.float32), 64, 1023)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("photos")
    for name, top in (("a.png", 20), ("b.png", 120)):
        Image.fromarray(chelsea()[top : top + 48, 100:164]).save(folder / name)
    return [folder / "a.png", folder / "b.png"]


def test_every_subject_gets_the_same_captures(photos: list[Path], profile: SensorProfile) -> None:
    one, two = Recorder(profile), Recorder(profile, "other")
    calls: list[tuple[int, int]] = []
    evaluate(
        [one.subject, two.subject], photos, profile, RAW_ONLY, gains=(1, 16), seed=7,
        progress=lambda done, total: calls.append((done, total)),
    )  # fmt: skip
    assert [gain for gain, _ in one.seen] == [1, 16, 1, 16]
    for (_, a), (_, b) in zip(one.seen, two.seen, strict=True):
        assert np.array_equal(a, b)
    again = Recorder(profile)
    evaluate([again.subject], photos, profile, RAW_ONLY, gains=(1, 16), seed=8)
    assert not np.array_equal(again.seen[0][1], one.seen[0][1])
    assert calls[-1] == (8, 8) and len(calls) == 8


def test_numbers(photos: list[Path], profile: SensorProfile) -> None:
    identity = Recorder(profile).subject
    truths = [
        simulate(np.asarray(Image.open(path)), profile, 4.0, seed=index).truth
        for index, path in enumerate(photos)
    ]
    oracle = Subject("off by one", lambda raw, gain: truths.pop(0) + np.float32(1), profile)
    result = evaluate([identity, oracle], photos, profile, MEASURES, gains=(4.0,))
    first, second = result.subjects
    assert first.scores[0].noisy == first.scores[0].denoised == second.scores[0].noisy
    assert second.scores[0].denoised["raw-psnr"] == pytest.approx(20 * np.log10(959), abs=1e-3)
    shown = [np.clip(c.mosaic, 64, 1023) for p, s in zip(photos, (0, 1), strict=True)
             for c in captures(p, profile, (4.0,), s)]  # fmt: skip
    clean = [c.truth for p, s in zip(photos, (0, 1), strict=True)
             for c in captures(p, profile, (4.0,), s)]  # fmt: skip
    expected = np.mean([psnr(a, b, data_range=959) for a, b in zip(shown, clean, strict=True)])
    assert first.scores[0].noisy["raw-psnr"] == pytest.approx(expected)
    alone = raw_psnr.evaluate(identity, photos, gains=(4.0,))
    assert alone[0].noisy_db == alone[0].denoised_db == first.scores[0].noisy["raw-psnr"]
    assert alone[0].improvement_db == 0


def test_json(photos: list[Path], profile: SensorProfile) -> None:
    subjects = [Recorder(profile, name).subject for name in ("one", "two")]
    result = evaluate(subjects, photos, profile, MEASURES, gains=(1, 64), seed=5)
    data = result.to_dict()
    assert data["subject"] == "one" and data["schema_version"] == 2
    assert data["noise"] == "synthetic" and data["provenance"] == "derived"
    assert data["noise_scale"] == {"a": 1.0, "b": 1.0}
    assert (data["photos"], data["crop"], data["seed"]) == (2, 512, 5)
    scores, versus, mean = data["scores"], data["versus"], data["mean"]
    assert isinstance(scores, list) and isinstance(versus, list) and isinstance(mean, dict)
    # What documents have read since the first version.
    assert {"gain", "noisy_db", "denoised_db"} <= set(scores[0])
    assert scores[0]["noisy_db"] == scores[0]["noisy"]["raw-psnr"]
    assert set(scores[0]["denoised"]) == set(MEASURES) == set(data["metrics"])  # type: ignore[call-overload]
    assert [other["subject"] for other in versus] == ["two"]
    assert versus[0]["scores"] == scores
    for name in MEASURES:
        assert mean["noisy"][name] == pytest.approx(np.mean([s["noisy"][name] for s in scores]))


def test_noise_off_the_profile(photos: list[Path], profile: SensorProfile) -> None:
    flat = photos[0].with_name("flat.png")
    Image.fromarray(np.full((256, 256, 3), 180, np.uint8)).save(flat)
    spreads = {}
    for scale in (NoiseScale(), NoiseScale(1.3, 0.7), NoiseScale(0.7, 1.3)):
        recorder = Recorder(profile)
        evaluate([recorder.subject], [flat], profile, RAW_ONLY, gains=(16,), noise_scale=scale)
        gain, raw = recorder.seen[0]
        assert gain == 16  # the denoiser is told nothing
        spreads[scale] = np.var(raw[1::2, 0::2].astype(float))
        x = (raw[1::2, 0::2].mean() - 64) / 959
        a, b = profile.noise(16)
        expected = (scale.a * a * x + scale.b * b) * 959**2
        assert spreads[scale] == pytest.approx(expected, rel=0.04)
    assert spreads[1.3, 0.7] > 1.2 * spreads[1, 1] > 1.5 * spreads[0.7, 1.3]  # type: ignore[index]


def test_profile_with_other_noise(profile: SensorProfile) -> None:
    assert with_noise(profile, NoiseScale()) is profile
    scaled = with_noise(profile, NoiseScale(1.3, 0.7))
    for gain in (1.0, 64.0):
        assert scaled.noise(gain).a == pytest.approx(1.3 * profile.noise(gain).a)
        assert scaled.noise(gain).b == pytest.approx(0.7 * profile.noise(gain).b)
    for bad in (NoiseScale(0, 1), NoiseScale(1, -1), NoiseScale(float("nan"), 1)):
        with pytest.raises(UserError, match="noise factors.*allowed are finite"):
            with_noise(profile, bad)


def test_refusals(photos: list[Path], profile: SensorProfile) -> None:
    subject = Recorder(profile).subject
    small = photos[0].with_name("small.png")
    Image.fromarray(chelsea()[:16, :30]).save(small)
    evaluate([subject], [small], profile, RAW_ONLY, gains=(1,))
    with pytest.raises(UserError, match=r"small.png is 30 x 16.*22 x 22"):
        evaluate([subject], [small], profile, MEASURES, gains=(1,))
    with pytest.raises(UserError, match="gain 0"):
        evaluate([subject], photos, profile, RAW_ONLY, gains=(0,))


def test_central_crop() -> None:
    photo = np.arange(600 * 20 * 3, dtype=np.uint32).reshape(600, 20, 3).astype(np.uint8)
    assert np.array_equal(central_crop(photo), photo[44:556])
