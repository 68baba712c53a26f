"""VGG16 up to relu4_3, whose activations the perceptual loss compares.

K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition"
(ICLR 2015), with weights in its authors' convention: BGR, 0..255, the mean of ImageNet taken off.
"""

from __future__ import annotations

import math
import zipfile
import zlib
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from fa_mobile.errors import UserError

TAPPED: Final = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")
"""The layers that are compared: the last of each group, before its pooling."""
BGR_MEAN: Final = (103.939, 116.779, 123.68)
_GROUPS: Final = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
_ALLOWED_DTYPES: Final = ("float16", "float32")
_HEADER_BYTES: Final = 1024
"""More than the header of one array in an npz takes."""


def tensor_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes that a file of weights holds: ``conv1_1.weight`` [64, 3, 3, 3], ..."""
    shapes: dict[str, tuple[int, ...]] = {}
    inputs = 3
    for group, widths in enumerate(_GROUPS, 1):
        for index, outputs in enumerate(widths, 1):
            shapes[f"conv{group}_{index}.weight"] = (outputs, inputs, 3, 3)
            shapes[f"conv{group}_{index}.bias"] = (outputs,)
            inputs = outputs
    return shapes


class Vgg16(nn.Module):
    """sRGB [N, 3, h, w] in 0..1, sides 8 or more, to the activations of ``TAPPED``.

    They are divided by 255, the scale of VGG's input, and so have the unit of the display again.
    Frozen: it passes gradients to its input, and has none itself.
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(BGR_MEAN).view(1, 3, 1, 1), persistent=False)
        groups, inputs = [], 3
        for widths in _GROUPS:
            layers: list[nn.Module] = []
            for outputs in widths:
                # Not in place: the backward pass of the distance needs each group's output.
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
                inputs = outputs
            groups.append(nn.Sequential(*layers))
        self.groups = nn.ModuleList(groups)
        self.pool = nn.MaxPool2d(2)
        self.requires_grad_(False)

    def forward(self, srgb: Tensor) -> list[Tensor]:
        x = srgb.flip(1) * 255 - self.mean
        taps = []
        for index, group in enumerate(self.groups):
            x = group(x if index == 0 else self.pool(x))
            taps.append(x / 255)
        return taps

    def convolutions(self) -> dict[str, nn.Conv2d]:
        """By the names that files use: ``conv1_1``, ..."""
        return {
            f"conv{group}_{index}": layer
            for group, layers in enumerate(self.groups, 1)
            for index, layer in enumerate(
                (m for m in layers.children() if isinstance(m, nn.Conv2d)), 1
            )
        }


def load_vgg16(path: Path) -> Vgg16:
    """VGG16 with the weights of an ``.npz`` file, in evaluation mode and frozen.

    Args:
        path: one float16 or float32 array for each of :func:`tensor_shapes`, nothing else.

    Raises:
        UserError: when the file is missing, is no such file, or holds other arrays. No pickle is
            read, and nothing that is larger than it has to be.
    """
    arrays = _read(path)
    network = Vgg16()
    with torch.no_grad():
        for name, layer in network.convolutions().items():
            for part in ("weight", "bias"):
                value = arrays[f"{name}.{part}"]
                getattr(layer, part).copy_(torch.from_numpy(value.astype(np.float32)))
    return network.eval()


def _read(path: Path) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.floating]]]:
    wanted = tensor_shapes()
    try:
        _check_members(path, wanted)
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in wanted}
    except FileNotFoundError as error:
        raise _unusable(path, "there is no such file") from error
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise _unusable(path, f"it cannot be read as one ({error})") from error
    problems = []
    for name, shape in wanted.items():
        array = arrays[name]
        if array.shape != shape:
            problems.append(f"{name} has shape {list(array.shape)}, not {list(shape)}")
        elif array.dtype.name not in _ALLOWED_DTYPES:
            problems.append(f"{name} is {array.dtype}, not {' or '.join(_ALLOWED_DTYPES)}")
        elif not np.isfinite(array).all():
            problems.append(f"{name} holds NaN or infinite weights")
    if problems:
        raise _unusable(path, "; ".join(problems[:4]))
    return arrays


def _check_members(path: Path, wanted: dict[str, tuple[int, ...]]) -> None:
    """Refuse other names, and sizes that only a damaged or hostile file has, before reading."""
    with zipfile.ZipFile(path) as archive:
        sizes = {item.filename.removesuffix(".npy"): item.file_size for item in archive.infolist()}
    if missing := sorted(wanted.keys() - sizes.keys()):
        raise ValueError(f"missing {', '.join(missing[:4])}")
    if extra := sorted(sizes.keys() - wanted.keys()):
        raise ValueError(f"not expected {', '.join(extra[:4])}")
    for name, shape in wanted.items():
        if sizes[name] > 8 * math.prod(shape) + _HEADER_BYTES:
            raise ValueError(f"{name} has {sizes[name]} bytes, too many for {list(shape)}")


def _unusable(path: Path, reason: str) -> UserError:
    return UserError(
        f"VGG16 weights {path}: {reason}; allowed is an .npz of {len(tensor_shapes())} arrays, "
        "conv1_1.weight to conv4_3.bias in float16 or float32, for BGR input; give that file"
    )
