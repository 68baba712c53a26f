"""One member of the array as a flat ONNX graph: the raw material of the composed model."""

from __future__ import annotations

import ast
import contextlib
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from torch import nn
from torch.export import Dim

from fa_mobile.targets.base import CalibrationSample

OPSET: Final = 18
NETWORK_SCOPE: Final = "network"
"""Name of the network inside :class:`fa_mobile.denoiser.MemberDenoiser`."""

_SCOPES_KEY: Final = "pkg.torch.onnx.name_scopes"


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's advice on packages that are not needed off the terminal."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def member_model(denoiser: nn.Module, stride: int) -> onnx.ModelProto:
    """Export one folded :class:`MemberDenoiser`: inputs raw [1, 1, H, W], a [1], b [1].

    Args:
        denoiser: in eval mode; its output becomes ``denoised``.
        stride: H and W stay dynamic, as multiples of this.

    Returns:
        A model whose nodes still carry the exporter's metadata, from which :func:`module_path`
        reads; strip it before a file is written, it holds paths of this machine.
    """
    sides = {2: stride * Dim("h", min=2), 3: stride * Dim("w", min=2)}
    # Three tensors, never one object twice: the exporter would merge the inputs silently. The
    # sides differ for the same reason.
    example = (torch.rand(1, 1, 4 * stride, 5 * stride), torch.tensor([1e-3]), torch.tensor([1e-6]))
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            denoiser,
            example,
            dynamo=True,
            opset_version=OPSET,
            input_names=["raw", "a", "b"],
            output_names=["denoised"],
            dynamic_shapes=(sides, None, None),
            verbose=False,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned no program")
    return program.model_proto


def module_path(node: onnx.NodeProto) -> str:
    """Dotted path of the module that made ``node``, relative to the denoiser ("" is itself)."""
    for entry in node.metadata_props:
        if entry.key == _SCOPES_KEY:
            scopes: list[str] = ast.literal_eval(entry.value)
            return scopes[-2] if len(scopes) > 1 else ""
    return ""


def network_nodes(model: onnx.ModelProto) -> dict[str, str]:
    """Names of the nodes that belong to the network, each with its module path inside it."""
    prefix = f"{NETWORK_SCOPE}."
    return {
        node.name: module_path(node).removeprefix(prefix)
        for node in model.graph.node
        if f"{module_path(node)}.".startswith(prefix)
    }


def probe(
    model: onnx.ModelProto, names: Sequence[str]
) -> Callable[[CalibrationSample], dict[str, npt.NDArray[np.float32]]]:
    """A function from a sample to the values of the named tensors of a member's model.

    Names that the model's types do not list as float are left out.
    """
    seen = onnx.shape_inference.infer_shapes(model)
    typed = {item.name: item for item in (*seen.graph.value_info, *seen.graph.output)}
    wanted = [name for name in dict.fromkeys(names) if name in typed]
    del seen.graph.output[:]
    seen.graph.output.extend(typed[name] for name in wanted)
    session = load(seen)

    def values(sample: CalibrationSample) -> dict[str, npt.NDArray[np.float32]]:
        found = session.run(wanted, feeds(sample))
        return dict(zip(wanted, found, strict=True))

    return values


def load(model: onnx.ModelProto) -> onnxruntime.InferenceSession:
    """A session for a model in memory, on the CPU, without advice on the terminal."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def feeds(sample: CalibrationSample) -> dict[str, npt.NDArray[np.float32]]:
    """A member's inputs for a calibration sample."""
    a, b = (np.array([value], np.float32) for value in (sample.a, sample.b))
    return {"raw": sample.raw, "a": a, "b": b}
