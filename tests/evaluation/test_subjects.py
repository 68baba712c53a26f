"""What can be evaluated, and that all of it is for one sensor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fa_mobile.errors import UserError
from fa_mobile.evaluation.subjects import open_subjects
from fa_mobile.networks import build_network
from fa_mobile.networks.baselines import PMRID_ANCHOR
from fa_mobile.noise import KSigma
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec, save_checkpoint
from fa_mobile.sensor import SensorProfile
from tests.conftest import visible_array


@pytest.fixture(scope="module")
def pmrid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights under the released file's names."""
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("pmrid") / "torch_pretrained.ckp"
    torch.save(build_network("pmrid").state_dict(), path)
    return path


def test_peers_take_the_sensor_of_the_checkpoint(
    checkpoint: Path, pmrid: Path, profile: SensorProfile
) -> None:
    found = open_subjects([str(checkpoint), "classical", f"pmrid:{pmrid}"])
    assert [s.name.split(",")[0] for s in found] == ["visible", "nl-means", "pmrid"]
    assert all(s.profile == profile for s in found)
    raw = np.random.default_rng(1).integers(0, 1024, (64, 96)).astype(np.uint16)
    for subject in found:
        out = subject.denoise(raw, 16)
        assert out.shape == raw.shape and out.min() >= 64 and out.max() <= 1023


def test_pmrid_runs_in_the_domain_of_its_weights(pmrid: Path, profile: SensorProfile) -> None:
    from fa_mobile.networks.baselines import load_pmrid

    subject = open_subjects([f"pmrid:{pmrid}"], "imx258")[0]
    raw = np.random.default_rng(1).integers(200, 900, (64, 64)).astype(np.uint16)
    x = torch.nn.functional.pixel_unshuffle(torch.from_numpy((raw[None, None] - 64.0) / 959), 2)
    for gain in (1.0, 64.0):
        transform = KSigma.between(profile.noise(gain), PMRID_ANCHOR)
        with torch.no_grad():
            z = (x * transform.scale + transform.offset).float()
            y = x + load_pmrid(pmrid)(z) / transform.scale
        expected = torch.nn.functional.pixel_shuffle(y.clamp(0, 1), 2)[0, 0] * 959 + 64
        assert np.abs(subject.denoise(raw, gain) - expected.numpy()).max() < 0.05


def test_a_built_in_checkpoint_goes_by_its_name() -> None:
    (found,) = open_subjects(["imx258-mobile"])
    assert found.name == "imx258-mobile" and found.profile.name == "imx258"


def test_equal_names_are_told_apart(checkpoint: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    save_checkpoint(visible_array(2, seed=1), other)
    names = [s.name for s in open_subjects([str(checkpoint), str(other)])]
    assert names == [f"visible ({checkpoint})", f"visible ({other})"]


def test_sensors_must_agree(checkpoint: Path, tmp_path: Path, profile: SensorProfile) -> None:
    noisier = profile.model_copy(update={"name": "other", "a_linear": (3e-4, 0.0)})
    spec = new_spec("other", "paper", noisier, 2)
    save_checkpoint(NoiseSubrangeModelArray.untrained(spec), tmp_path / "other")
    with pytest.raises(UserError, match="sensor other.*than imx258"):
        open_subjects([str(checkpoint), str(tmp_path / "other")])
    with pytest.raises(UserError, match="sensor other.*than imx258"):
        open_subjects([str(tmp_path / "other")], "imx258")
    # Where it comes from changes no capture.
    renamed = profile.model_copy(update={"name": "renamed", "source": "elsewhere"})
    save_checkpoint(
        NoiseSubrangeModelArray.untrained(new_spec("same", "paper", renamed, 2)), tmp_path / "same"
    )
    assert len(open_subjects([str(checkpoint), str(tmp_path / "same")])) == 2


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="classical fits every sensor.*--sensor"):
        open_subjects(["classical"])
    with pytest.raises(UserError, match="neither a bundle.*pmrid:WEIGHTS and classical"):
        open_subjects([str(tmp_path)])
    with pytest.raises(UserError, match=r"'none.ckp' are not there; give pmrid:PATH"):
        open_subjects(["pmrid:none.ckp"], "imx258")
    (tmp_path / "odd.ckp").write_text("odd")
    with pytest.raises(UserError, match="cannot be read as PMRID's weights"):
        open_subjects([f"pmrid:{tmp_path / 'odd.ckp'}"], "imx258")
