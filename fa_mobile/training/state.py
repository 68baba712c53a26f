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
from fa_mobile.training.muon import MOMENTS, Muon

STATE_FILE: Final = "state.safetensors"
AVERAGE: Final = "average"


class RunState:
    """A network under training with Muon's moments and the running average of its weights."""

    def __init__(self, network: nn.Module, learning_rate: float) -> None:
        self.network = network
        self.parameters = dict(network.named_parameters())
        self.average = {name: p.detach().clone() for name, p in self.parameters.items()}
        self.optimizer = Muon(self.parameters.values(), lr=learning_rate)
        self.step = 0
        self.best_psnr = float("-inf")

    def update_average(self, decay: float) -> None:
        """Exponential moving average, with a shorter memory at the start of a run."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        for name, parameter in self.parameters.items():
            self.average[name].lerp_(parameter.detach(), 1 - decay)

    def save(self, folder: Path) -> None:
        """Write the state; a kill at any moment leaves the old one or the new one."""
        tensors: dict[str, Tensor] = {}
        for name, parameter in self.parameters.items():
            tensors[f"weights.{name}"] = parameter.detach().contiguous()
            tensors[f"{AVERAGE}.{name}"] = self.average[name].contiguous()
            for moment, value in self.optimizer.state[parameter].items():
                tensors[f"{moment}.{name}"] = value.contiguous()
        facts = {"step": self.step, "best_psnr": self.best_psnr}
        with replace_file(folder / STATE_FILE) as partial:
            # Bytes, so that a full disk is an OSError and not the library's own kind of error.
            partial.write_bytes(safetensors.torch.save(tensors, {"run": json.dumps(facts)}))

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
            with torch.no_grad():
                for name, parameter in self.parameters.items():
                    parameter.copy_(tensors[f"weights.{name}"])
                    self.average[name].copy_(tensors[f"{AVERAGE}.{name}"])
                    self.optimizer.state[parameter] = {
                        moment: tensors[f"{moment}.{name}"].clone()
                        for moment in MOMENTS
                        if f"{moment}.{name}" in tensors
                    }
        except (safetensors.SafetensorError, KeyError, ValueError, RuntimeError) as error:
            raise UserError(
                f"training state {path} cannot be used ({error}); delete the run folder to "
                "start afresh"
            ) from error
        self.step = self.optimizer.steps = int(facts["step"])
        self.best_psnr = float(facts["best_psnr"])


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
