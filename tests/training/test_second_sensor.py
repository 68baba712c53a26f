"""A second sensor: the OPPO Reno 10x from the weights of the IMX258."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fa_mobile.bayer import red_offset
from fa_mobile.exporting import retargeted
from fa_mobile.nsma import load_checkpoint, partition, read_spec
from fa_mobile.recipe import (
    built_in_checkpoint,
    built_in_checkpoints,
    checkpoint_folder,
    load_recipe,
)
from fa_mobile.selection import select
from fa_mobile.sensor import load_profile
from fa_mobile.simulation import simulate, simulate_rggb
from fa_mobile.training.config import TrainConfig
from fa_mobile.training.start import starting_member
from tests.commands import run_here
from tests.training.small import photo

RENO = load_profile("oppo-reno-10x")
RECIPE = Path(__file__).parents[2] / "export" / "oppo-reno-10x.toml"


def shipped() -> Path:
    folder = built_in_checkpoint("imx258-mobile")
    assert folder is not None
    return folder


def test_train_from_the_shipped_weights_for_another_profile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two steps a stage: the checkpoint is the Reno's, with its edges, near where it began."""
    (tmp_path / "photos").mkdir()
    for index in range(3):
        Image.fromarray(photo(index)).save(tmp_path / "photos" / f"{index}.png")
    code, _, err = run_here(
        monkeypatch, capsys, "train", tmp_path / "photos", "--runs", tmp_path / "runs",
        "--start", "imx258-mobile", "--profile", "oppo-reno-10x", "--member-steps", 2,
        "--int8-steps", 0, "--patch", 32, "--batch", 2, "--threads", 1, "--learning-rate", 1e-7,
        "--no-balance", "--rescalings", 0, "-o", tmp_path / "reno",
    )  # fmt: skip
    assert code == 0, err
    array, before = load_checkpoint(tmp_path / "reno"), load_checkpoint(shipped())
    assert array.spec.profile == RENO
    assert array.spec.edges == partition(RENO.a_range, 4) != before.spec.edges
    # Member 0's noise lies within member 0's of the IMX258, whose front end is fitted anew only.
    weights, start = (a.networks[0].state_dict() for a in (array, before))
    name = next(name for name in weights if name.startswith("trunk.enc1") and "weight" in name)
    assert np.abs((weights[name] - start[name]).numpy()).max() < 1e-4


@pytest.mark.parametrize("members", [1, 2, 4, 8])
def test_each_member_starts_from_the_one_for_its_noise(members: int) -> None:
    """By the noise, not by the number; the own number where the profile is the same."""
    spec = read_spec(shipped())
    for member in range(members):
        config = TrainConfig(profile="oppo-reno-10x", members=members, member=member)
        bounds = (RENO.a_range[0], *partition(RENO.a_range, members), RENO.a_range[1])
        middle = np.sqrt(bounds[member] * bounds[member + 1])
        assert starting_member(spec, config) == select(middle, spec.edges)
    for member in range(4):
        assert starting_member(spec, TrainConfig(profile="imx258", member=member)) == member


def test_recipe_names_what_exists() -> None:
    recipe = load_recipe(RECIPE)
    assert load_profile(recipe.sensor) == RENO
    assert read_spec(checkpoint_folder(recipe, RECIPE)).network == "mobile"


def test_an_array_of_another_sensor_keeps_its_noises_and_says_so() -> None:
    spec = read_spec(shipped())
    for_reno = retargeted(spec, RENO)
    assert (for_reno.edges, for_reno.anchors) == (spec.edges, spec.anchors)
    assert for_reno.profile == RENO and for_reno.name == "imx258-mobile (trained for imx258)"
    assert retargeted(spec, load_profile("imx258")) == spec


def test_checkpoints_by_name() -> None:
    assert built_in_checkpoints() == ("imx258-mobile", "imx258-nsma4")
    assert built_in_checkpoint("../checkpoints/imx258-mobile") is None


def test_captures_of_a_sensor_that_is_not_rggb() -> None:
    """The file begins at another sample of the same mosaic; what is measured stays RGGB."""
    picture = photo(0)
    made, inside = simulate(picture, RENO, 8, 3), simulate_rggb(picture, RENO, 8, 3)
    assert made.noisy.cfa == "BGGR"
    top, left = red_offset("BGGR")
    red = made.noisy.mosaic[top::2, left::2]
    assert np.array_equal(red, inside.noisy[2::2, 2::2])
    assert made.truth.shape == made.noisy.mosaic.shape
