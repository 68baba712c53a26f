"""The one table of targets: the command line, recipes, checks and docs follow from it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fa_mobile.targets.base import Exported, ExportJob


@dataclass(frozen=True)
class Target:
    """One export target; ``module`` is imported when it is used, not before."""

    name: str
    title: str
    module: str
    precisions: tuple[str, ...]
    runs_here: bool
    """Whether its runtime runs where the export runs; Core ML needs an Apple system."""

    def exporter(self) -> Callable[[ExportJob], Exported]:
        """The function that makes the artifact."""
        function: Callable[[ExportJob], Exported] = importlib.import_module(self.module).export
        return function


TARGETS: Final = (
    Target("executorch", "ExecuTorch (XNNPACK)", "fa_mobile.targets.executorch",
           ("fp32", "int8"), True),
    Target("onnx", "ONNX (ONNX Runtime)", "fa_mobile.targets.onnx", ("fp32", "int8"), True),
    Target("coreml", "Core ML", "fa_mobile.targets.coreml", ("fp16", "int8"), False),
)  # fmt: skip
TARGET_NAMES: Final = tuple(target.name for target in TARGETS)
PRECISIONS: Final = {target.name: target.precisions for target in TARGETS}


def target_named(name: str) -> Target:
    """The target of that name; KeyError for an unknown one (recipes are validated before)."""
    return next(target for target in TARGETS if target.name == name)
