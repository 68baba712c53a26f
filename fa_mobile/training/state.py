"""The state of a run on disk: safetensors and JSON, replaced atomically, never a pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from fa_mobile.errors import UserError
from fa_mobile.files import replace_file
from fa_mobile.training.config import OptimizerName, Precision
from fa_mobile.training.muon import Muon
from fa_mobile.training.optimizers import STATE_NAMES, build_optimizer

STATE_FILE: Final = "state.safetensors"
AVERAGE: Final = "average"


class RunState:
    """A network under training with its optimizer's moments and the average of its weights."""

    def __init__(
        self,
        network: nn.Module,
        learning_rate: float,
        optimizer: OptimizerName = "muon",
        precision: Precision = "float32",
    ) -> None:
        self.network = network
        self.parameters = dict(network.named_parameters())
        self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.optimizer = build_optimizer(
            optimizer, self.parameters.values(), learning_rate, precision
        )
        self._moments = STATE_NAMES[optimizer]
        self.step = 0
        self.best_psnr = float("-inf")
        self.range_factors: list[float] = []
        """Of a rounded run, see :class:`fa_mobile.training.rounding.ActivationRanges`."""
        self.saved_step: int | None = None
        """Step of the state on disk."""

    def update_average(self, decay: float) -> None:
        """Exponential moving average, with a shorter memory at the start of a run."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        for name, parameter in self.parameters.items():
            self.average[name].lerp_(parameter.detach(), 1 - decay)

    def save(self, folder: Path) -> None:
        """Write the state; a kill at any moment leaves the old one or the new one.

        Raises:
            UserError: when it cannot be written, or a weight is not finite; the old one stays.
        """
        for name, parameter in self.parameters.items():
            if not torch.isfinite(parameter).all():
                raise UserError(
                    f"{name} holds NaN or infinite weights after step {self.step} and was not "
                    f"saved; {self.kept(folder)}: lower the learning rate and start anew"
                )
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.parameters.items():
            tensors[f"weights.{name}"] = parameter.detach().contiguous()
            tensors[f"{AVERAGE}.{name}"] = self.average[name].contiguous()
            for moment, value in self.optimizer.state[parameter].items():
                tensors[f"{moment}.{name}"] = value.contiguous()
        facts = {
            "step": self.step,
            "best_psnr": self.best_psnr,
            "range_factors": self.range_factors,
        }
        with replace_file(folder / STATE_FILE) as partial:
            # Bytes, so that a full disk is an OSError and not the library's own kind of error.
            partial.write_bytes(safetensors.torch.save(tensors, {"run": json.dumps(facts)}))
        self.saved_step = self.step

    def kept(self, folder: Path) -> str:
        """In words, where the last good state lies."""
        if self.saved_step is None:
            return f"nothing had been saved in {folder} before"
        return f"the last good state, of step {self.saved_step}, stays in {folder / STATE_FILE}"

    def load(self, folder: Path) -> None:
        """Restore what :meth:`save` wrote.

        Raises:
            UserError: when the file is damaged or belongs to another network.
        """
        path = folder / STATE_FILE
        try:
            tensors = safetensors.torch.load_file(path)
            with safetensors.safe_open(path, "pt") as stream:
                facts = json.loads(stream.metadata()["run"])
            step, best_psnr = int(facts["step"]), float(facts["best_psnr"])
            range_factors = [float(factor) for factor in facts.get("range_factors", [])]
            with torch.no_grad():
                for name, parameter in self.parameters.items():
                    parameter.copy_(tensors[f"weights.{name}"])
                    self.average[name].copy_(tensors[f"{AVERAGE}.{name}"])
                    self.optimizer.state[parameter] = {
                        moment: _laid_out(tensors[f"{moment}.{name}"], parameter)
                        for moment in self._moments
                        if f"{moment}.{name}" in tensors
                    }
        except (
            safetensors.SafetensorError,
            OSError,
            KeyError,
            TypeError,  # no metadata, or not an object in it
            ValueError,
            RuntimeError,
        ) as error:
            raise UserError(
                f"training state {path} cannot be used ({error}); delete the run folder to "
                "start afresh"
            ) from error
        self.step = self.saved_step = step
        if isinstance(self.optimizer, Muon):
            self.optimizer.steps = self.step
        self.best_psnr, self.range_factors = best_psnr, range_factors


def _laid_out(moment: Tensor, parameter: Tensor) -> Tensor:
    """``moment`` with the memory layout of its parameter: another one would round otherwise."""
    if moment.shape != parameter.shape:
        return moment.clone()
    return torch.empty_like(parameter).copy_(moment)


def averaged_weights(folder: Path) -> dict[str, Tensor]:
    """The averaged weights of a run, by parameter name.

    Raises:
        UserError: when the folder holds no readable state.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        raise UserError(f"{folder} holds no training run ({STATE_FILE} is missing)")
    try:
        tensors = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError) as error:
        raise UserError(f"training state {path} cannot be read: {error}") from error
    prefix = f"{AVERAGE}."
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
