"""An array's channels rescaled for int8, by what the ExecuTorch target loses on photos."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.folding import fold
from fa_mobile.graph_ranges import activation_ranges, observe
from fa_mobile.networks.mobile import MobileNet
from fa_mobile.nsma import ArraySpec, NoiseSubrangeModelArray
from fa_mobile.patches import Patches
from fa_mobile.progress import counter
from fa_mobile.quantization import QuantizationPlan, quantize_member
from fa_mobile.ranges import USUAL_PERCENTILE, start
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.executorch import FOLD_PLAN
from fa_mobile.targets.executorch_int8 import member_inputs, one_thread, outputs_of
from fa_mobile.targets.executorch_member import DelegateMember, export_for_calibration
from fa_mobile.targets.islands import added_loss
from fa_mobile.targets.samples import calibration_samples
from fa_mobile.targets.settling import can_settle
from fa_mobile.targets.tuned import plan_for
from fa_mobile.training.rescaling import search_rescalings

PATCHES: Final = 72
"""Of photos, to draw for it."""
_OBSERVED_EVERY: Final = 3
"""Captures that ranges are measured on: every third. The others judge."""


def rescale_for_int8(
    array: NoiseSubrangeModelArray,
    patches: Patches,
    *,
    trials: int,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Rescale the channels of each member, in place; networks other than ``mobile`` stay.

    A trial quantizes the member as the target's first rung does, and runs it on two thirds of the
    patches: seconds.

    Args:
        array: trained.
        patches: clean, of photos, three or more; each meets one noise of a member's subrange.
        trials: for each member (:func:`fa_mobile.training.rescaling.search_rescalings`).
        seed: of the candidates.
        progress: called with (trials done, trials in all).
    """
    captures = calibration_samples(patches, array.spec)
    count = counter(progress, trials * len(captures))
    for index, (network, samples) in enumerate(zip(array.networks, captures, strict=True)):
        if not isinstance(network, MobileNet):
            continue
        judged = _Judged(network, array.spec, index, samples)
        with one_thread():
            search_rescalings(
                network,
                judged.features(network),
                judged.loss,
                trials=trials,
                seed=seed + index,
                progress=count,
            )


class _Judged:
    """What a member's network loses to int8 on captures.

    Rescaled networks differ in their weights alone, so one exported program serves all.
    """

    def __init__(
        self, network: MobileNet, spec: ArraySpec, index: int, samples: list[CalibrationSample]
    ) -> None:
        self._anchor, self._profile = spec.anchors[index], spec.profile
        self._folds = plan_for("executorch", "int8", spec.network, FOLD_PLAN, _quietly)
        self._observed = samples[::_OBSERVED_EVERY]
        self._judges = [s for i, s in enumerate(samples) if i % _OBSERVED_EVERY]
        # Of a copy: the program's weights are written to.
        member = fold(self._member(copy.deepcopy(network)), self._folds)
        assert can_settle(member)
        self._to_observe, self._to_judge = (
            [member_inputs(sample, member) for sample in some]
            for some in (self._observed, self._judges)
        )
        scalars = len(self._to_observe[0]) - 1
        module = DelegateMember(member).eval()
        self._program = export_for_calibration(module, 2 * MobileNet.PACKED_STRIDE, scalars)
        self._floats = outputs_of(self._program.module(), self._to_judge)

    @torch.no_grad()
    def features(self, network: MobileNet) -> list[Tensor]:
        """Of the captures that ranges are measured on: [1, 4, h, w] each."""
        member = self._member(network)
        return [
            member.domain.enter(
                member.pack(torch.from_numpy(sample.raw)),
                *member.scalars(torch.tensor([sample.a]), torch.tensor([sample.b])),
            )
            for sample in self._observed
        ]

    @torch.no_grad()
    def loss(self, network: MobileNet) -> float:
        """dB by what int8 adds (:func:`fa_mobile.targets.islands.added_loss`)."""
        weights = fold(self._member(network), self._folds).state_dict()
        for name, value in self._program.state_dict.items():
            value.copy_(weights[name])
        made = quantize_member(self._program, self._to_observe, QuantizationPlan())
        ranges = activation_ranges(made.module)
        start(ranges, observe(made.module, ranges, self._to_observe), USUAL_PERCENTILE)
        return added_loss(self._judges, self._floats, outputs_of(made.module, self._to_judge))

    def _member(self, network: MobileNet) -> MemberDenoiser:
        return MemberDenoiser(network, self._anchor, self._profile).eval()


def _quietly(_line: str) -> None:
    """Which folds are taken is told when the array is exported."""
