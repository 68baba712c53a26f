"""Training for int8: the network with the rounding of its int8 targets, on the same weights.

The rounding is put in by the quantizer that the ExecuTorch target uses, at the same operators: what
exports merge is merged here too, and what they keep in float stays float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import torch
from torch import Tensor, nn
from torch.export import Dim
from torch.nn import functional
from torchao.quantization.pt2e import (
    FakeQuantize,
    MinMaxObserver,
    disable_fake_quant,
    disable_observer,
    enable_fake_quant,
)
from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e

from fa_mobile.folding.cells import in_a_row, merged_for_training
from fa_mobile.networks import MobileNet
from fa_mobile.quantization import training_quantizer
from fa_mobile.ranges import USUAL_PERCENTILE, Ends, Seen, affine, covered, search, start

_SMALLEST_BATCH: Final = 2


def rounded_twin(network: nn.Module, example: Tensor) -> nn.Module:
    """``network`` with int8 weights and activations that gradients pass through.

    Its parameters are those of ``network``, the same objects by the same names, so training one
    trains the other. A front end that every target keeps in float stays float. Activations are
    rounded once :meth:`ActivationRanges.measure` has run.

    Args:
        network: float features [N, 4, h, w] to residual.
        example: two sets of features or more, h and w those of training.
    """
    if isinstance(network, MobileNet):
        return _RoundedMobile(network, example)
    twin = _prepared(network, example)
    twin.DOMAIN = network.DOMAIN
    return twin


class _RoundedMobile(nn.Module):
    """``mobile``, its front end and its direct way to the residual in float."""

    DOMAIN = MobileNet.DOMAIN

    def __init__(self, network: MobileNet, example: Tensor) -> None:
        super().__init__()
        self.unshuffle, self.front, self.shuffle = network.unshuffle, network.front, network.shuffle
        with torch.no_grad():
            noisy = self.front(self.unshuffle(example))
        self.trunk = _prepared(merged_for_training(network.trunk), noisy)
        # Of no use to the trunk, so its export left it out; by its old name it is a parameter.
        self.trunk.get_submodule("align0").add_module("beta", network.trunk.align0.beta)

    def forward(self, features: Tensor) -> Tensor:
        noisy = self.front(self.unshuffle(features))
        # By their names, not those of ``network``: the weights of a call may be others.
        beta, tail = self.trunk.align0.beta, self.trunk.tail  # type: ignore[union-attr]
        direct = functional.conv2d(noisy, *in_a_row(beta, tail, bias=False))  # type: ignore[arg-type]
        residual: Tensor = self.shuffle(direct + self.trunk(noisy))
        return residual


class ActivationRanges:
    """The ranges of a twin's activations: measured as exports measure them, then scaled.

    Attributes:
        factors: on what is measured, one for each range; see :meth:`search`.
    """

    def __init__(self, twin: nn.Module) -> None:
        self._twin = twin
        self._rounding = [
            module
            for module in twin.modules()
            if isinstance(module, FakeQuantize)
            and isinstance(module.activation_post_process, MinMaxObserver)
        ]
        self.factors = [1.0] * len(self._rounding)
        for module in self._rounding:
            disable_observer(module)
            disable_fake_quant(module)

    @torch.no_grad()
    def measure(self, batches: Iterable[Tensor]) -> None:
        """Set the ranges to ``factors`` times a percentile of what ``batches`` give.

        Args:
            batches: of features.
        """
        seen = [Seen() for _ in self._rounding]
        hooks = []
        for module, one in zip(self._rounding, seen, strict=True):
            disable_fake_quant(module)
            hooks.append(module.register_forward_pre_hook(_keeping(one)))
        for batch in batches:
            self._twin(batch)
        for hook in hooks:
            hook.remove()
        start([_FakeRange(module) for module in self._rounding], seen, USUAL_PERCENTILE)
        for module, factor in zip(self._rounding, self.factors, strict=True):
            module.scale.mul_(factor)
            enable_fake_quant(module)

    def restore(self, factors: Sequence[float]) -> None:
        """Take the factors of a run that is resumed.

        Raises:
            ValueError: when they are not as many as there are ranges.
        """
        if len(factors) != len(self.factors):
            raise ValueError(f"{len(factors)} range factors for {len(self.factors)} ranges")
        self.factors = list(factors)

    @torch.no_grad()
    def search(self, cost: Callable[[], float]) -> None:
        """Find the factors that leave the least ``cost`` of the twin.

        After a first :meth:`measure`; the weights then learn to live with them. Exports search
        too, by a cost of their own (:func:`fa_mobile.targets.islands.added_loss`).
        """
        ranges = [_FakeRange(module) for module in self._rounding]
        search(ranges[::-1], cost)
        self.factors = [f * r.factor for f, r in zip(self.factors, ranges, strict=True)]


class _FakeRange:
    """The range of a module that rounds in training."""

    def __init__(self, module: FakeQuantize) -> None:
        self._module = module
        self._given = float(module.scale)

    @property
    def factor(self) -> float:
        """The range over what it was at first."""
        return float(self._module.scale) / self._given

    @property
    def ends(self) -> Ends:
        of = self._module
        return covered(float(of.scale), int(of.zero_point), of.quant_min, of.quant_max)

    @ends.setter
    def ends(self, value: Ends) -> None:
        scale, zero_point = affine(value, self._module.quant_min, self._module.quant_max)
        self._module.scale.fill_(scale)
        self._module.zero_point.fill_(zero_point)


def _keeping(seen: Seen) -> Callable[[nn.Module, tuple[Tensor]], None]:
    def keep(_module: nn.Module, values: tuple[Tensor]) -> None:
        seen.add(values[0].float().cpu().numpy())

    return keep


def _prepared(network: nn.Module, example: Tensor) -> nn.Module:
    # torch.export cannot keep a batch dynamic that may be 1.
    batch = ({0: Dim("batch", min=_SMALLEST_BATCH)},)
    program = torch.export.export(network, (example,), dynamic_shapes=batch, strict=False)
    prepared: nn.Module = prepare_qat_pt2e(program.module(), training_quantizer())
    return prepared
