"""W8A8 for Core ML without macOS: quantize-dequantize pairs put into the torch module.

coremltools' own activation calibration runs the model and so needs macOS. Its converter, though,
turns torch's ``quantize_per_tensor`` and ``dequantize`` into MIL's, wherever they stand. So the
ranges are measured here in eager PyTorch and the pairs stand before each convolution, where
coremltools would put them; the weights become int8 after conversion.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.islands import MAX_LOSS_DB, Ladder, psnr_loss

PERCENTILES: Final = (100.0, 99.99, 99.9)
"""Candidates: the share of an activation's magnitudes inside its int8 range, in percent."""
_SAMPLED: Final = 40_000


class QuantizedMember(NamedTuple):
    """A member with pairs, the modules that stayed float, the percentile kept, the loss in dB."""

    member: nn.Module
    islands: tuple[str, ...]
    percentile: float
    loss_db: float


class _QuantizedInput(nn.Module):
    """A convolution whose input is rounded to int8, symmetric, one scale per tensor."""

    def __init__(self, conv: nn.Module, scale: float) -> None:
        super().__init__()
        self.conv = conv
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        rounded = torch.quantize_per_tensor(x, self.scale, 0, torch.qint8)
        out: Tensor = self.conv(rounded.dequantize())
        return out


def quantize_member(
    member: nn.Module, samples: Sequence[CalibrationSample], ladder: Ladder
) -> QuantizedMember:
    """A copy of a folded member with int8 inputs at its network's convolutions.

    Args:
        member: a MemberDenoiser in eval mode.
        samples: of the member's own subrange, at least one.
        ladder: float islands to try, fewest first: patterns (fnmatch) of modules inside the network
            whose inputs stay float; the first that loses little is kept, the last in any case.

    Raises:
        ValueError: without samples.
    """
    if not samples:
        raise ValueError("no calibration samples were given; int8 needs at least one per member")
    network = member.get_submodule("network")
    convolutions: dict[str, nn.Module] = {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    }
    magnitudes = _magnitudes(member, convolutions, samples)
    reference = [_run(member, sample).numpy() for sample in samples]
    for islands in ladder:
        floats = [n for n in convolutions if any(fnmatchcase(n, p) for p in islands)]
        inside = [name for name in convolutions if name not in floats]
        candidates = []
        for percentile in PERCENTILES:
            scales = {n: max(_quantile(magnitudes[n], percentile), 1e-6) / 127 for n in inside}
            candidate = _with_pairs(member, scales)
            outputs = [_run(candidate, sample).numpy() for sample in samples]
            loss = psnr_loss(samples, reference, outputs)
            candidates.append(QuantizedMember(candidate, tuple(sorted(floats)), percentile, loss))
        best = min(candidates, key=lambda made: made.loss_db)
        if best.loss_db <= MAX_LOSS_DB:
            break
    return best


def _run(member: nn.Module, sample: CalibrationSample) -> Tensor:
    with torch.no_grad():
        out: Tensor = member(
            torch.from_numpy(sample.raw), torch.tensor([sample.a]), torch.tensor([sample.b])
        )
    return out


def _magnitudes(
    member: nn.Module, modules: dict[str, nn.Module], samples: Sequence[CalibrationSample]
) -> dict[str, Tensor]:
    """Per module: magnitudes of its inputs, ascending; each sample's largest is among them."""
    drawn: dict[str, list[Tensor]] = {name: [] for name in modules}
    generator = torch.Generator().manual_seed(0)

    def watch(name: str, module: nn.Module) -> torch.utils.hooks.RemovableHandle:
        def hook(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            values = inputs[0].abs().flatten()
            if values.numel() > _SAMPLED:
                index = torch.randint(values.numel(), (_SAMPLED,), generator=generator)
                values = torch.cat([values[index], values.max().view(1)])
            drawn[name].append(values)

        return module.register_forward_pre_hook(hook)

    handles = [watch(name, module) for name, module in modules.items()]
    try:
        for sample in samples:
            _run(member, sample)
    finally:
        for handle in handles:
            handle.remove()
    return {name: torch.cat(parts).sort().values for name, parts in drawn.items()}


def _quantile(ordered: Tensor, percentile: float) -> float:
    """Of ascending values; torch.quantile refuses large tensors."""
    return float(ordered[min(int(len(ordered) * percentile / 100), len(ordered) - 1)])


def _with_pairs(member: nn.Module, scales: dict[str, float]) -> nn.Module:
    copied = copy.deepcopy(member)
    network = copied.get_submodule("network")
    for name, scale in scales.items():
        parent, _, child = name.rpartition(".")
        wrapped = _QuantizedInput(network.get_submodule(name), scale)
        setattr(network.get_submodule(parent), child, wrapped)
    return copied.eval()
