"""ST-LPIPS, a perceptual distance between RGB images that forgives shifts too small to see.

A. Ghildyal and F. Liu, "Shift-tolerant Perceptual Similarity Metric", ECCV 2022, in the variant on
AlexNet that its authors call ``alex_shift_tolerant``. It is not LPIPS (R. Zhang et al., CVPR
2018): structure and weights differ, and so do the numbers. Images in -1..1 are scaled by channel
and go through five convolutions, the first with a stride of 1; each halving is a blur with
[1, 2, 1] and a stride of 2 on an image mirrored by 2, the first between convolution and ReLU, the
others after a maximum over 3 x 3 with a stride of 1. The features behind each ReLU are divided by
their length over the channels; the squared differences, weighted by channel and averaged over the
image, are summed over the five.

The names and shapes of the released file fix the layers and their order; what they leave open
(strides, paddings, the mirrored borders) follows the authors' description and released program.
The weights are the user's own file: none is shipped, none is fetched.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fa_mobile.errors import UserError
from fa_mobile.evaluation.measures import Measure, View
from fa_mobile.nsma import sha256_file

NAME: Final = "ST-LPIPS"
LEAST_SIDE: Final = 32
"""Smaller images leave too little behind the last halving."""
SHAPES: Final[dict[str, tuple[int, ...]]] = {
    "scaling_layer.shift": (1, 3, 1, 1),
    "scaling_layer.scale": (1, 3, 1, 1),
    "net.slice1.0.weight": (64, 3, 11, 11),
    "net.slice1.0.bias": (64,),
    "net.slice1.1.filt": (64, 1, 3, 3),
    "net.slice2.4.filt": (64, 1, 3, 3),
    "net.slice2.5.weight": (192, 64, 5, 5),
    "net.slice2.5.bias": (192,),
    "net.slice3.8.filt": (192, 1, 3, 3),
    "net.slice3.9.weight": (384, 192, 3, 3),
    "net.slice3.9.bias": (384,),
    "net.slice4.11.weight": (256, 384, 3, 3),
    "net.slice4.11.bias": (256,),
    "net.slice5.13.weight": (256, 256, 3, 3),
    "net.slice5.13.bias": (256,),
    "lin0.model.1.weight": (1, 64, 1, 1),
    "lin1.model.1.weight": (1, 192, 1, 1),
    "lin2.model.1.weight": (1, 384, 1, 1),
    "lin3.model.1.weight": (1, 256, 1, 1),
    "lin4.model.1.weight": (1, 256, 1, 1),
}
"""Every tensor of the released file."""

Weights = Mapping[str, Tensor]
Features = list[Tensor]
"""Five tensors [1, C, h, w] of unit length over C."""


def load_weights(path: Path) -> dict[str, Tensor]:
    """The released weights (``alex_shift_tolerant.pth``), read without unpickling code.

    Raises:
        UserError: when there is no such file, or its tensors have other names, shapes or values.
    """
    # Bytes that are no PyTorch file fail in any of these ways, depending on how they begin.
    broken = (
        OSError, RuntimeError, EOFError, pickle.UnpicklingError, ValueError, LookupError,
        TypeError, AttributeError,
    )  # fmt: skip
    advice = "give the authors' alex_shift_tolerant.pth"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except broken as error:
        reason = str(error).split("\n", 1)[0]
        raise UserError(f"{path} cannot be read as {NAME}'s weights: {reason}; {advice}") from error
    if not isinstance(state, Mapping) or state.keys() != SHAPES.keys():
        raise UserError(
            f"{path} does not hold {NAME}'s weights: its tensors have other names; {advice}"
        )
    for name, shape in SHAPES.items():
        tensor = state[name]
        if not isinstance(tensor, Tensor) or tuple(tensor.shape) != shape:
            given = list(tensor.shape) if isinstance(tensor, Tensor) else type(tensor).__name__
            raise UserError(f"{path}: {name} is {given}, not {list(shape)}; {advice}")
        if not (tensor.is_floating_point() and torch.isfinite(tensor).all()):
            raise UserError(f"{path}: {name} does not hold finite numbers; {advice}")
    return {name: state[name].float() for name in SHAPES}


@torch.no_grad()
def features(image: npt.NDArray[np.float32], weights: Weights) -> Features:
    """What :func:`distance` compares of an RGB image [H, W, 3] in 0..1, sides at least 32.

    Raises:
        ValueError: for another shape.
    """
    if image.ndim != 3 or image.shape[2] != 3 or min(image.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"an image of shape {image.shape} was given; allowed is [H, W, 3] with sides of "
            f"{LEAST_SIDE} at least"
        )
    x = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1), np.float32))[None]
    x = (2 * x - 1 - weights["scaling_layer.shift"]) / weights["scaling_layer.scale"]
    x = _halve(_convolve(x, weights, "net.slice1.0", 2), weights["net.slice1.1.filt"])
    first = functional.relu(x)
    x = _halve(functional.max_pool2d(first, 3, 1), weights["net.slice2.4.filt"])
    second = functional.relu(_convolve(x, weights, "net.slice2.5", 2))
    x = _halve(functional.max_pool2d(second, 3, 1), weights["net.slice3.8.filt"])
    third = functional.relu(_convolve(x, weights, "net.slice3.9", 1))
    fourth = functional.relu(_convolve(third, weights, "net.slice4.11", 1))
    fifth = functional.relu(_convolve(fourth, weights, "net.slice5.13", 1))
    return [_unit(level) for level in (first, second, third, fourth, fifth)]


@torch.no_grad()
def distance(one: Features, other: Features, weights: Weights) -> float:
    """How differently two images look: 0 for equal ones, larger is worse."""
    total = 0.0
    for level, (a, b) in enumerate(zip(one, other, strict=True)):
        weighted = functional.conv2d((a - b) ** 2, weights[f"lin{level}.model.1.weight"])
        total += float(weighted.mean(dtype=torch.float64))
    return total


def _convolve(x: Tensor, weights: Weights, name: str, padding: int) -> Tensor:
    return functional.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding)


def _halve(x: Tensor, blur: Tensor) -> Tensor:
    mirrored = functional.pad(x, (2, 2, 2, 2), mode="reflect")
    return functional.conv2d(mirrored, blur, stride=2, groups=x.shape[1])


def _unit(x: Tensor) -> Tensor:
    length: Tensor = torch.sqrt((x * x).sum(dim=1, keepdim=True))
    return x / (length + 1e-10)


class StLpips:
    """The distance as a measure between rendered mosaics."""

    def __init__(self, path: Path) -> None:
        """Raises :class:`UserError` as :func:`load_weights` does."""
        self._weights = load_weights(path)
        self.sha256 = sha256_file(path)
        self._truth: View | None = None
        self._wanted: Features = []

    @property
    def measure(self) -> Measure:
        """For :func:`fa_mobile.evaluation.quality.evaluate`."""
        return Measure(f"RGB {NAME}, smaller is better", self._score, 4, LEAST_SIDE)

    def to_dict(self) -> dict[str, str]:
        """Which distance and which weights, for JSON."""
        return {"name": NAME, "weights_sha256": self.sha256}

    def _score(self, estimate: View, truth: View) -> float:
        if truth is not self._truth:  # one truth is asked for at every gain and for every subject
            self._truth, self._wanted = truth, features(truth.rgb, self._weights)
        return distance(features(estimate.rgb, self._weights), self._wanted, self._weights)
