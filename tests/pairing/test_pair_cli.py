"""``fa-mobile pair`` from RAW files to a dataset, and what it does with files that are bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from fa_mobile.errors import UserError
from fa_mobile.pairing.dataset import open_pairs
from fa_mobile.pairing.frames import exposure_seconds
from fa_mobile.raw_io import read_raw, write_dng
from tests.commands import Result, run_here
from tests.pairing.scenes import IMX258, frame, moved, save, scene, signal, with_object
from tests.raw_files import dng

Pair = Callable[..., Result]
SHIFT = (5.3, -2.4)


@pytest.fixture()
def pair(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Pair:
    def run(*arguments: object) -> Result:
        return run_here(monkeypatch, capsys, "pair", *arguments)

    return run


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Good pairs at gains 4 and 16, one with an object, and files that cannot be used."""
    folder = tmp_path_factory.mktemp("captures")
    light = scene("coffee.png")
    save(folder / "long" / "cup.dng", signal(light, 0.9), 1)
    save(folder / "short" / "cup_4.dng", signal(light), 4)
    save(folder / "short" / "cup_16.dng", signal(moved(light, SHIFT)), 16)
    save(folder / "short" / "cup_moved.dng", signal(with_object(light)), 16)
    save(folder / "short" / "cup_other.dng", signal(light), 16, model="IMX477")
    save(folder / "short" / "cup_swapped.dng", signal(light), 0.5)
    save(folder / "short" / "cup_nothing.dng", signal(light), 16, iso=None)
    save(folder / "short" / "hall_16.dng", signal(light), 16)
    whole = (folder / "short" / "cup_16.dng").read_bytes()
    (folder / "short" / "cup_cut.dng").write_bytes(whole[: len(whole) // 2])
    (folder / "short" / "cup_text.dng").write_text("not a picture")
    return folder


@pytest.fixture(scope="module")
def dataset(captures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once, for reading."""
    out = tmp_path_factory.mktemp("made") / "pairs"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["fa-mobile", "pair", str(captures / "short"),
                                   str(captures / "long"), "-o", str(out)])  # fmt: skip
        from fa_mobile.cli import main

        with pytest.raises(SystemExit) as end:
            main()
        assert end.value.code == 0
    return out


def test_the_rest_goes_on_and_is_counted(pair: Pair, captures: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    code, text, err = pair(captures / "short", captures / "long", "-o", out)
    assert code == 0, err
    assert "2 accepted, 1 rejected, 6 skipped" in text
    lines = text.splitlines()
    for name, said in {
        "cup_moved.dng": "something moved",
        "cup_other.dng": "mixed sensors",
        "cup_swapped.dng": "SHORT and LONG are exchanged",
        "cup_nothing.dng": "no ISO",
        "hall_16.dng": "long exposure is missing",
        "cup_cut.dng": "cut off",
        "cup_text.dng": "damaged or not RAW",
    }.items():
        starts = f"rejected: {name}", f"skipped: {name}"
        (line,) = [line for line in lines if line.startswith(starts)]
        assert said in line
    assert (out / "rejected" / "cup_moved.png").is_file()


def test_what_is_stored(dataset: Path, captures: Path) -> None:
    opened = open_pairs(dataset)
    assert [found.name for found in opened] == ["cup_16", "cup_4"]
    entry, stored = opened.index.pairs[0], opened[0]
    original = read_raw(captures / "short" / "cup_16.dng").mosaic
    crop = entry.crop
    assert crop.top % 2 == crop.left % 2 == 0
    rows = slice(crop.top, crop.top + crop.height)
    assert np.array_equal(stored.noisy, original[rows, crop.left : crop.left + crop.width])
    assert stored.truth.dtype == np.float32 and stored.truth.shape == stored.noisy.shape
    assert stored.noise == IMX258.noise(16) and stored.gain == 16 and stored.scene == "cup"
    assert np.abs(np.array(entry.shift) - SHIFT).max() < 0.05
    assert abs(entry.brightness * 0.9 - 1) < 0.01
    assert entry.truth_a < stored.noise.a / 10
    assert str(captures) not in (dataset / "index.json").read_text()
    left = stored.noisy - stored.truth
    assert abs(float(left.mean())) < 0.5
    with Image.open(dataset / entry.preview) as picture:
        assert picture.width > 2 * crop.width


def test_noise_of_the_pair_is_what_is_told(dataset: Path) -> None:
    """The variance of noisy - truth is that of both, within a tenth."""
    opened = open_pairs(dataset)
    stored, entry = opened[1], opened.index.pairs[1]
    x = (stored.truth - 64) / 959
    middle = (x > 0.02) & (x < 0.3)
    measured = np.var((stored.noisy - stored.truth)[middle] / 959)
    told = (stored.noise.a + entry.truth_a) * x[middle].mean() + stored.noise.b + entry.truth_b
    assert abs(measured / told - 1) < 0.1


def test_other_patterns_are_stored_as_rggb(pair: Pair, tmp_path: Path) -> None:
    """A BGGR sensor: the frame from its first red sample on."""
    clean = signal(scene("coffee.png"))
    for name, gain in (("short", 16), ("long", 1)):
        made = frame(clean, gain, seed=gain)
        write_dng(tmp_path / f"{name}.dng", replace(made, mosaic=made.mosaic[1:, 1:], cfa="BGGR"))
    code, _, err = pair(tmp_path / "short.dng", tmp_path / "long.dng", "-o", tmp_path / "pairs")
    assert code == 0, err
    opened = open_pairs(tmp_path / "pairs")
    crop = opened.index.pairs[0].crop
    assert crop.top % 2 == crop.left % 2 == 1
    rows = slice(crop.top + 1, crop.top + 1 + crop.height)
    expected = frame(clean, 16, seed=16).mosaic[rows, crop.left + 1 : crop.left + 1 + crop.width]
    assert np.array_equal(opened[0].noisy, expected)


def test_noise_from_the_file(pair: Pair, tmp_path: Path) -> None:
    clean = signal(scene("coffee.png"))
    save(tmp_path / "short.dng", clean, 16, noise=IMX258.noise(20))
    save(tmp_path / "long.dng", clean, 1)
    given = (tmp_path / "short.dng", tmp_path / "long.dng", "-o", tmp_path / "pairs")
    assert pair(*given, "--noise-from", "dng")[0] == 0
    noise = open_pairs(tmp_path / "pairs")[0].noise
    np.testing.assert_allclose(noise, IMX258.noise(20))
    save(tmp_path / "short.dng", clean, 16, noise=None)
    code, _, err = pair(*given, "--overwrite", "--noise-from", "dng")
    assert code == 2 and "has no NoiseProfile" in err
    assert len(open_pairs(tmp_path / "pairs")) == 1  # what was there stays


def test_gains_that_contradict_or_are_missing(pair: Pair, tmp_path: Path) -> None:
    clean = signal(scene("coffee.png"))
    save(tmp_path / "short.dng", clean, 16)
    save(tmp_path / "long.dng", clean, 1, iso=None)
    given = (tmp_path / "short.dng", tmp_path / "long.dng", "-o", tmp_path / "pairs")
    code, _, err = pair(*given, "--short-gain", 4)
    assert code == 2 and "gain 16 by profile imx258, and gain 4 was given" in err
    code, _, err = pair(*given)
    assert code == 2 and "no ISO" in err
    assert not (tmp_path / "pairs").exists()
    assert pair(*given, "--long-gain", 1)[0] == 0


def test_one_dataset_is_of_one_sensor(pair: Pair, tmp_path: Path) -> None:
    """A pair whose two frames agree, but with no other of the dataset."""
    clean = signal(scene("coffee.png"))
    for name, model in (("bowl", "IMX258"), ("cup", "IMX477")):
        save(tmp_path / "short" / f"{name}.dng", clean, 16, model=model)
        save(tmp_path / "long" / f"{name}.dng", clean, 1, model=model)
    code, text, _ = pair(tmp_path / "short", tmp_path / "long", "-o", tmp_path / "pairs")
    assert code == 0 and "1 accepted, 0 rejected, 1 skipped" in text
    assert "skipped: cup.dng: it is of Sony IMX477, others here are of Sony IMX258" in text


def test_none_accepted_is_not_success(pair: Pair, tmp_path: Path) -> None:
    light = scene("coffee.png")
    short = save(tmp_path / "short.dng", signal(with_object(light)), 16)
    long = save(tmp_path / "long.dng", signal(light), 1)
    code, text, _ = pair(short, long, "-o", tmp_path / "pairs")
    assert code == 1 and "0 accepted, 1 rejected" in text
    with pytest.raises(UserError, match="holds no pair"):
        open_pairs(tmp_path / "pairs")


def test_a_folder_in_use_is_left_alone(pair: Pair, captures: Path, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("mine")
    code, _, err = pair(captures / "short", captures / "long", "-o", tmp_path, "--overwrite")
    assert code == 2 and "no dataset of pairs" in err
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_dataset_is_replaced_only_when_asked(pair: Pair, dataset: Path) -> None:
    code, _, err = pair("short", "long", "-o", dataset)
    assert code == 2 and "--overwrite" in err


def test_json(pair: Pair, captures: Path, tmp_path: Path) -> None:
    long = captures / "long" / "cup.dng"
    code, out, err = pair(captures / "short" / "cup_4.dng", long, "-o", tmp_path / "p", "--json")
    data = json.loads(out)
    assert code == 0 and err == ""
    assert [one["name"] for one in data["pairs"]] == ["cup_4"]
    assert data["profile"]["provenance"] == "derived"


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text.replace("fa-mobile-pairs", "other"), "kind"),
        (lambda text: text[:200], "JSON"),
        (lambda text: text.replace('"noisy/cup_16.tif"', '"../noisy/cup_16.tif"'), "noisy.path"),
        (
            lambda text: text.replace('"schema_version": 1', '"schema_version": 2', 1),
            "schema_version",
        ),
        (lambda text: "[" * 100_000, "JSON"),
        (lambda text: text.replace('"gain": 16.0', '"gain": NaN'), "gain"),
        (lambda text: text.replace('"cup_4"', '"cup_16"'), "one name"),
    ],
)
def test_index_is_not_trusted(
    dataset: Path, tmp_path: Path, edit: Callable[[str], str], said: str
) -> None:
    text = (dataset / "index.json").read_text()
    assert edit(text) != text
    (tmp_path / "index.json").write_text(edit(text))
    with pytest.raises(UserError, match=said) as error:
        open_pairs(tmp_path)
    assert "\n" not in str(error.value)


def test_stored_files_are_not_trusted(dataset: Path, tmp_path: Path) -> None:
    import hashlib
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    path = copy / "noisy" / "cup_16.tif"
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    tifffile.imwrite(path, np.zeros((20, 20), np.uint16))
    with pytest.raises(UserError, match="not the file that the index was made with"):
        open_pairs(copy)[0]
    index = copy / "index.json"
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    index.write_text(index.read_text().replace(before, after))
    with pytest.raises(UserError, match=r"holds uint16 \(20, 20\)"):
        open_pairs(copy)[0]
    path.unlink()
    with pytest.raises(UserError, match="cannot be read"):
        open_pairs(copy)[0]
    with pytest.raises(UserError, match="has no index"):
        open_pairs(tmp_path)


def test_exposure_time_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "other.dng"
    path.write_bytes(dng(np.full((32, 32), 100, np.uint16), {33434: (5, (1, 250))}))
    assert exposure_seconds(path) == pytest.approx(1 / 250)
    write_dng(path, frame(signal(scene("coffee.png"))[:64, :64], 4))
    assert exposure_seconds(path) is None
