"""The ExecuTorch target and networks that are odd: what is refused, what is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("executorch", reason="the export extra is not installed")

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec
from fa_mobile.quantization import QuantizationPlan
from fa_mobile.runtimes.executorch import ExecutorchModel
from fa_mobile.sensor import SensorProfile
from fa_mobile.targets import executorch_int8, executorch_member
from fa_mobile.targets.base import ExportError
from fa_mobile.targets.executorch import export
from tests.export_jobs import SIZE, TOLERANCE_DN, calibration, capture, job


class Undelegated(nn.Module):
    """A network with an operator that XNNPACK does not know."""

    PACKED_STRIDE = 4
    DOMAIN = "k-sigma"

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1)

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.erf(self.conv(z))


@pytest.fixture
def odd_array(profile: SensorProfile) -> NoiseSubrangeModelArray:
    return NoiseSubrangeModelArray(new_spec("odd", "paper", profile, 1), [Undelegated()])


@pytest.mark.parametrize("form", ["call", "methods"])
def test_an_undelegated_operator_is_named(
    form: Any, odd_array: NoiseSubrangeModelArray, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=r"2 XNNPACK delegates.*aten\.erf x1"):
        export(job(odd_array, tmp_path), form=form)
    assert not list(tmp_path.iterdir())


def test_one_member_needs_no_cond(profile: SensorProfile, tmp_path: Path) -> None:
    class Plain(Undelegated):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.conv(z)
            return out

    alone = NoiseSubrangeModelArray(new_spec("one", "paper", profile, 1), [Plain()])
    made = export(job(alone, tmp_path, selector="noise-profile"))
    assert "cond" not in made.undelegated
    raw = capture(profile, 0.001, 1, SIZE)
    scalars = [np.array([value], np.float32) for value in (0.001, profile.line_b(0.001))]
    with torch.no_grad():
        expected = RawDenoiser(alone.eval()).denoise_with_profile(
            *map(torch.from_numpy, (raw, *scalars))
        )
    got = ExecutorchModel(tmp_path / "model.pte").run(raw, *scalars)
    np.testing.assert_allclose(got, expected.numpy(), rtol=0, atol=TOLERANCE_DN)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"precision": "fp16"}, "has fp32, int8"),
        ({"tile": 100}, "multiples of 8"),
        ({"tile": (128, 100)}, "multiples of 8"),
        ({"precision": "int8"}, "calibration samples for each"),
        ({"precision": "int8", "calibration": ((),)}, "calibration samples for each"),
    ],
)
def test_what_is_refused(
    changes: dict[str, Any], message: str, odd_array: NoiseSubrangeModelArray, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match=message):
        export(job(odd_array, tmp_path, **changes))


def test_a_pattern_that_matches_nothing_is_refused(
    odd_array: NoiseSubrangeModelArray, tmp_path: Path
) -> None:
    request = job(odd_array, tmp_path, precision="int8", calibration=calibration(odd_array))
    with pytest.raises(ExportError, match="'haed', which matches no operator"):
        export(request, quantization=QuantizationPlan(float_modules=("haed",)))


def test_islands_grow_until_little_is_lost(
    profile: SensorProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Two(Undelegated):
        def __init__(self) -> None:
            super().__init__()
            self.head = nn.Conv2d(4, 4, 1)

        def forward(self, z: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.conv(self.head(z))
            return out

    array = NoiseSubrangeModelArray(new_spec("two", "paper", profile, 1), [Two()])
    denoiser = RawDenoiser(array).eval()
    member = denoiser.members[0]
    module = executorch_member.DelegateMember(member).eval()  # type: ignore[arg-type]
    program = executorch_member.export_for_calibration(module, denoiser.stride, scalars=3)
    (samples,) = calibration(array)
    rungs = [QuantizationPlan(floats) for floats in ((), ("head",))]
    monkeypatch.setattr(executorch_int8, "LADDER", rungs)
    tried: list[str] = []

    def loses(module: object, *_: object) -> float:
        tried.append("rung")
        return 1.0 if len(tried) == 1 else 0.0

    monkeypatch.setattr(executorch_int8, "_least_loss", loses)
    made, loss = executorch_int8.int8_member(program, samples, member, None)
    assert loss == 0.0 and len(tried) == 2
    assert "head.conv2d" in made.float_operators
