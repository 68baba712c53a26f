"""One member, folded by a plan, as a call in its real runtime with one thread.

int8 leaves nothing in float here: which islands a checkpoint needs is found later, and the
kernels for what stays in 8 bits are the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import torch

from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.noise import NoiseParameters
from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec
from fa_mobile.patches import clean_patches
from fa_mobile.sensor import load_profile
from fa_mobile.targets.base import ExportError
from fa_mobile.targets.samples import calibration_samples
from fa_mobile.tuning.search import Call, Refused

THREADS: Final = 1
_SENSOR: Final = "imx258"
_SAMPLES: Final = 2
_GAIN: Final = 4.0
_SEED: Final = 13
_SHOWN: Final = 300


class Workbench:
    """What all plans of one search share: an untrained member, its samples, a mosaic.

    Args:
        target: "executorch" or "onnx".
        precision: "fp32" or "int8".
        network: one of the networks' names.
        side: H and W of the mosaic, a multiple of the network's stride.
        folder: exists; takes the files.
    """

    def __init__(self, target: str, precision: str, network: str, side: int, folder: Path) -> None:
        torch.manual_seed(_SEED)
        profile = load_profile(_SENSOR)
        array = NoiseSubrangeModelArray.untrained(new_spec("tuning", network, profile, 1))
        denoiser = RawDenoiser(array.eval()).eval()
        self.member, self.stride, self.side = denoiser.members[0], denoiser.stride, side
        self.samples = (
            calibration_samples(clean_patches(None, count=_SAMPLES), array.spec)[0]
            if precision == "int8"
            else []
        )
        low, high = int(profile.black_level[0]), int(profile.white_level)
        rng = np.random.default_rng(_SEED)
        self.raw = rng.integers(low, high + 1, (1, 1, side, side)).astype(np.float32)
        self.noise = NoiseParameters(*profile.noise(_GAIN))
        self._make = {"executorch": self._executorch, "onnx": self._onnx}[target]
        self._path = folder / {"executorch": "model.pte", "onnx": "model.onnx"}[target]

    def shape(self, plan: FoldPlan) -> str:
        """The folded member's modules as text."""
        return repr(fold(self.member, plan))

    def build(self, plan: FoldPlan) -> Call:
        """Fold, export, load and run once.

        Raises:
            Refused: with the words of whatever was in the way.
        """
        try:
            call = self._make(plan)
            out = call()
        except Exception as error:  # exporters and runtimes raise what their own parts raise
            raise Refused(self._reason(error)) from error
        if not np.isfinite(np.asarray(out)).all():
            raise Refused("the result has values that are not finite")
        return call

    def _reason(self, error: Exception) -> str:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        kind = type(error).__name__
        text = lines[0] if lines else kind
        if lines and not isinstance(error, ExportError | UserError):
            text = f"{kind}: {text}"  # others' messages do not stand alone
        return text.replace(f"{self._path.parent}/", "")[:_SHOWN]

    def _executorch(self, plan: FoldPlan) -> Call:
        from fa_mobile.quantization import QuantizationPlan, quantize_member
        from fa_mobile.runtimes.executorch import load_methods
        from fa_mobile.targets import executorch_member as lowering
        from fa_mobile.targets.executorch_lowering import lower, quiet

        member = fold(self.member, plan)
        assert isinstance(member, lowering.Member)
        module: torch.nn.Module = lowering.DelegateMember(member).eval()
        scalars = member.scalars(*(torch.tensor([value]) for value in self.noise))
        sides = self.side, self.side
        program = lowering.export_member(module, sides, len(scalars))
        if self.samples:
            # Ranges cost no time in the kernels: the mosaic itself and its extremes will do.
            given_once = [(torch.from_numpy(self.raw), *scalars)]
            made = quantize_member(program, given_once, QuantizationPlan())
            program = lowering.export_member(made.module, sides, len(scalars))
        with quiet():
            edge = lower(program)
            lowering.check_delegation(edge.exported_program().graph_module, "the member")
            self._path.write_bytes(edge.to_executorch().buffer)
        forward = load_methods(self._path, threads=THREADS)["forward"]
        given = [self.raw, *(value.numpy() for value in scalars)]
        return lambda: forward(given)[0]

    def _onnx(self, plan: FoldPlan) -> Call:
        import onnx

        from fa_mobile.runtimes.onnx import OnnxModel
        from fa_mobile.targets.onnx_member import member_model, network_nodes
        from fa_mobile.targets.onnx_ranges import insert_qdq, observe

        model = member_model(fold(self.member, plan), self.stride)
        if self.samples:
            nodes = list(network_nodes(model))
            seen = observe(model, nodes, self.samples[:1])
            model = insert_qdq(model, nodes, seen)
        onnx.save_model(model, str(self._path))
        loaded = OnnxModel(self._path, threads=THREADS)
        noise = [np.array([value], np.float32) for value in self.noise]
        return lambda: loaded.run(self.raw, *noise)
