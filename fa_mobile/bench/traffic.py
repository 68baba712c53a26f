"""Bytes that a network's operators read and write: derived from the network, not measured.

Every operator's inputs and outputs count once at the operator's own precision, as if all went to
memory; weights count once a call. ReLU and clamp run inside the operator before them and views
move nothing. Caches make the true traffic smaller, layout changes and quantization passes make it
larger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from fa_mobile.counting import count
from fa_mobile.denoiser import MemberDenoiser, RawDenoiser
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.manifest import Manifest
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec
from fa_mobile.selection import select

ElementBytes = Callable[[str, str], int]
"""From (module path, operator) to the bytes of an element there."""

_FUSED: Final = frozenset({"relu", "clamp", "hardtanh"})
_NAMES: Final = {"convolution": "conv2d", "upsample_bilinear2d": "upsample"}
_BYTES: Final = {"fp32": 4, "fp16": 2, "int8": 1}
_STRIDES: Final = 16


@dataclass(frozen=True)
class Moved:
    """Bytes per mosaic pixel, and those of the weights per call."""

    per_pixel: float = 0.0
    weights: int = 0

    def per_mp(self, pixels_per_call: float) -> float:
        """Bytes per 10^6 mosaic pixels in calls of this size."""
        return (self.per_pixel + self.weights / pixels_per_call) * 1e6


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what passes through it."""

    def __init__(self, size: ElementBytes) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.path: list[str] = [""]
        self.size = size
        self.moved = Moved()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if func.is_view or name in _FUSED or not isinstance(out, Tensor):
            return out
        size = self.size(self.path[-1], _NAMES.get(name, name))
        tensors = [value for value in _tensors(args) if value.dim() > 1]
        weights = [value for value in tensors if isinstance(value, nn.Parameter)]
        held = sum(value.numel() for value in weights) * size
        through = out.numel() + sum(v.numel() for v in tensors if not isinstance(v, nn.Parameter))
        self.moved = replace(
            self.moved,
            per_pixel=self.moved.per_pixel + through * size,
            weights=self.moved.weights + held,
        )
        return out


def _tensors(values: Any) -> Iterator[Tensor]:
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, list | tuple):
            yield from _tensors(value)


@contextmanager
def _named(module: nn.Module, counter: _Counter) -> Iterator[None]:
    """Tell the counter which module is running."""
    hooks = []
    for name, child in module.named_modules():
        enter = child.register_forward_pre_hook(lambda *_, n=name: counter.path.append(n))
        leave = child.register_forward_hook(lambda *_: counter.path.pop() and None)
        hooks += [enter, leave]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def moved(member: nn.Module, stride: int, size: ElementBytes) -> Moved:
    """Count one member's traffic, packing and unpacking included.

    Args:
        member: a folded :class:`MemberDenoiser`: (raw, a, b) to denoised.
        stride: of the mosaic.
        size: bytes of an element, by module path and operator.
    """
    side = _STRIDES * stride
    counter = _Counter(size)
    given = torch.rand(1, 1, side, side), torch.tensor([1e-3]), torch.tensor([1e-6])
    with _named(member, counter), counter:
        member(*given)
    return replace(counter.moved, per_pixel=counter.moved.per_pixel / side**2)


def bundle_traffic(manifest: Manifest, gain: float, plans: list[FoldPlan]) -> Moved | None:
    """The traffic of the member that serves ``gain``, its float islands counted as float.

    Args:
        plans: candidates; the one whose executed MACs are the manifest's is taken.

    Returns:
        None when no plan gives the executed MACs that the manifest states.
    """
    spec = new_spec("traffic", manifest.network.name, manifest.sensor, 1)
    denoiser = RawDenoiser(NoiseSubrangeModelArray.untrained(spec)).eval()
    (member,) = denoiser.members
    assert isinstance(member, MemberDenoiser)
    wanted = manifest.network.executed_gmacs_per_mp
    for plan in plans:
        if abs(count(fold(member.network, plan)).gmacs_per_mp - wanted) < 1e-6 * wanted:
            index = select(manifest.sensor.a_float32(gain), manifest.edges)
            return moved(fold(member, plan), denoiser.stride, _element_bytes(manifest, index))
    return None


def _element_bytes(manifest: Manifest, member: int) -> ElementBytes:
    """Float outside of the network and in its islands: "<member>.<module>[.<operator>]"."""
    prefix = f"{member}."
    floats = {n.removeprefix(prefix) for n in manifest.float_islands if n.startswith(prefix)}
    inside = _BYTES[manifest.precision]

    def size(path: str, operator: str) -> int:
        if path != "network" and not path.startswith("network."):
            return max(inside, _BYTES["fp32"] if manifest.precision == "int8" else inside)
        module = path.removeprefix("network").removeprefix(".")
        operation = f"{module}.{operator}" if module else operator
        return _BYTES["fp32"] if module in floats or operation in floats else inside

    return size
