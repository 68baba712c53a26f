"""What Core ML's converter is given: the members and the selection as TorchScript."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from fa_mobile.denoiser import GainSelector
from fa_mobile.sensor import SensorProfile


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep coremltools' progress bars and its remarks on versions off the terminal."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


class _Choice(nn.Module):
    """One of two denoisers by the noise: ``high`` where a is not below the edge."""

    # No annotation of ``edge`` here: TorchScript does not resolve one that is a string.

    def __init__(self, low: Any, high: Any, edge: float) -> None:
        super().__init__()
        self.low = low
        self.high = high
        self.register_buffer("edge", torch.tensor([edge], dtype=torch.float32))

    def forward(self, raw: Tensor, a: Tensor, b: Tensor) -> Tensor:
        if bool(a >= self.edge):  # type: ignore[operator]
            out: Tensor = self.high(raw, a, b)
        else:
            out = self.low(raw, a, b)
        return out


class _ByGain(nn.Module):
    """gain to (a, b), in the float32 steps of :class:`GainSelector`, then the choice."""

    def __init__(self, choice: Any, profile: SensorProfile) -> None:
        super().__init__()
        self.choice = choice
        values = (*profile.a_linear, *profile.b_quadratic)
        for name, value in zip(("a1", "a0", "b2", "b1", "b0"), values, strict=True):
            self.register_buffer(name, torch.tensor([value], dtype=torch.float32))

    def forward(self, raw: Tensor, gain: Tensor) -> Tensor:
        a = gain * self.a1 + self.a0  # type: ignore[operator]
        b = (gain * self.b2 + self.b1) * gain + self.b0  # type: ignore[operator]
        out: Tensor = self.choice(raw, a, b)
        return out


class _Select(nn.Module):
    """gain [1] to a [1], b [1] and the member's index, int32 [1]."""

    def __init__(self, profile: SensorProfile, edges: tuple[float, ...]) -> None:
        super().__init__()
        self.selector = GainSelector(profile, edges)

    def forward(self, gain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, b, member = self.selector(gain)
        return a, b, member.to(torch.int32)


class _Index(nn.Module):
    """a [1] to the member's index, int32 [1]."""

    edges: Tensor

    def __init__(self, edges: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("edges", torch.tensor(edges, dtype=torch.float32))

    def forward(self, a: Tensor) -> Tensor:
        return (a >= self.edges).to(torch.int32).sum(dim=0, keepdim=True).to(torch.int32)


def _trace(module: nn.Module, example: tuple[Tensor, ...]) -> Any:
    return torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]


def traced_members(members: Sequence[nn.Module], sides: tuple[int, int]) -> list[Any]:
    """Each member traced at raw [1, 1, *sides]."""
    example = (torch.rand(1, 1, *sides) * 900, torch.tensor([1e-3]), torch.tensor([1e-6]))
    with quiet(), torch.no_grad():
        return [_trace(member, example) for member in members]


def selected_program(
    traced: Sequence[Any], edges: Sequence[float], profile: SensorProfile | None
) -> Any:
    """The members under nested ``if``: a script of (raw, gain), or (raw, a, b) without profile."""

    def tree(low: int, high: int) -> Any:
        if high - low == 1:
            return traced[low]
        middle = (low + high) // 2
        return _Choice(tree(low, middle), tree(middle, high), edges[middle - 1])

    choice = tree(0, len(traced))
    program = choice if profile is None else _ByGain(choice, profile)
    if isinstance(program, torch.jit.ScriptModule):
        return program
    with quiet():
        return torch.jit.script(program.eval())


def select_program(profile: SensorProfile | None, edges: tuple[float, ...]) -> Any:
    """The selection alone: a trace of gain to (a, b, index), or of a to index without profile."""
    module = _Index(edges) if profile is None else _Select(profile, edges)
    with quiet(), torch.no_grad():
        return _trace(module.eval(), (torch.tensor([1.0]),))
