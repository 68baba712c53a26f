"""What a run minimises: squared errors, or Charbonnier and where asked for a term of the paper.

Every term is scaled so that the noise of every sample weighs alike: by the sample's weight where
it compares signals or pictures, and not again where the teacher's domain has done so.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import torch
from torch import Tensor

from fa_mobile.errors import UserError
from fa_mobile.nsma import sha256_file
from fa_mobile.training.config import Precision, TrainConfig, check_loss
from fa_mobile.training.display import to_display
from fa_mobile.training.losses import (
    DISTILLATION_WEIGHT,
    FEATURE_WEIGHT,
    PERCEPTUAL_WEIGHT,
    cast,
    charbonnier,
    content_distance,
    negative_psnr,
    root_mean_square,
    style_distance,
)
from fa_mobile.training.precision import arithmetic
from fa_mobile.training.teacher import Teacher, load_teacher, teacher_file
from fa_mobile.training.tensors import Patches
from fa_mobile.training.vgg import Vgg16, load_vgg16

_SMALLEST_SIZE: Final = 1e-6
BASES: Final = {"rmse": root_mean_square, "psnr": negative_psnr, "charbonnier": charbonnier}
"""Losses of the weighted error alone."""
Term = Callable[[Tensor, Patches], Tensor]
"""(denoised signal [N, 4, h, w], the batch) to a weighted loss, a scalar."""


class Loss(NamedTuple):
    """A loss and its parts, scalars; ``base`` with what weighs the cast, if anything does.

    ``term`` is None where the base is alone.
    """

    total: Tensor
    base: Tensor
    term: Tensor | None


class PerceptualTerm:
    """Content and style between VGG16's activations on two pictures, shown as sRGB."""

    def __init__(self, features: Vgg16, precision: Precision = "float32") -> None:
        self._features = features
        self._precision = precision

    def __call__(self, estimate: Tensor, patches: Patches) -> Tensor:
        colour = patches.gains, patches.camera_to_rgb
        with torch.no_grad():
            truth = self._seen(to_display(patches.clean, *colour))
        shown = self._seen(to_display(estimate, *colour))
        distance = content_distance(shown, truth) + style_distance(shown, truth)
        return PERCEPTUAL_WEIGHT * (distance * patches.weight.flatten()).mean()

    def _seen(self, srgb: Tensor) -> list[Tensor]:
        with arithmetic(self._precision):
            return [layer.float() for layer in self._features(srgb)]


class DistillationTerm:
    """L1 distance to the teacher's output on the same capture."""

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def __call__(self, estimate: Tensor, patches: Patches) -> Tensor:
        target = self._teacher.output(patches.noisy, patches.a, patches.b)
        return DISTILLATION_WEIGHT * ((estimate - target) * patches.weight).abs().mean()


class FeatureTerm:
    """Feature Loss: content and style between the teacher's activations on output and truth.

    Each layer is first divided by the root mean square of its activations on the truth, over the
    batch: else the term's size would be that of a teacher's activations (a hundredfold between
    the networks here) and its weight would mean nothing.
    """

    def __init__(self, teacher: Teacher) -> None:
        self._teacher = teacher

    def __call__(self, estimate: Tensor, patches: Patches) -> Tensor:
        noise = patches.a, patches.b
        with torch.no_grad():
            truth = self._teacher.activations(patches.clean, *noise)
            sizes = [layer.square().mean().sqrt().clamp(min=_SMALLEST_SIZE) for layer in truth]
        seen = self._teacher.activations(estimate, *noise)
        truth, seen = (
            [layer / size for layer, size in zip(layers, sizes, strict=True)]
            for layers in (truth, seen)
        )
        distance = content_distance(seen, truth) + style_distance(seen, truth)
        return FEATURE_WEIGHT * distance.mean()


class Objective:
    """The loss of a batch: ``base`` plus ``term``, and ``cast_weight`` times the cast."""

    def __init__(
        self,
        term: Term | None = None,
        cast_weight: float = 0.0,
        base: Callable[[Tensor], Tensor] = charbonnier,
    ) -> None:
        self._base = base
        self._term = term
        self._cast_weight = cast_weight

    def __call__(self, estimate: Tensor, patches: Patches) -> Loss:
        error = estimate - patches.clean
        base = self._base(error * patches.weight)
        if self._cast_weight:
            sigma = torch.sqrt(patches.a * patches.clean + patches.b)
            base = base + self._cast_weight * cast(error, sigma)
        if self._term is None:
            return Loss(base, base, None)
        term = self._term(estimate, patches)
        return Loss(base + term, base, term)


def build_objective(config: TrainConfig) -> Objective:
    """The objective that ``config`` names, its networks loaded.

    Raises:
        UserError: when a part is missing, is not what it has to be, or the patch does not fit it.
    """
    check_loss(config)
    if config.loss == "perceptual":
        term: Term = PerceptualTerm(
            load_vgg16(Path(str(config.perceptual_weights))), config.precision
        )
        return Objective(term, config.cast_weight)
    if config.loss in BASES:
        return Objective(None, config.cast_weight, BASES[config.loss])
    teacher = load_teacher(Path(str(config.teacher)))
    if config.patch % teacher.patch_multiple:
        raise UserError(
            f"patch {config.patch} was given; teacher {config.teacher} takes multiples of "
            f"{teacher.patch_multiple}: give another patch or teacher"
        )
    term = DistillationTerm(teacher) if config.loss == "distillation" else FeatureTerm(teacher)
    return Objective(term, config.cast_weight)


def pinned(config: TrainConfig) -> TrainConfig:
    """``config`` with the hashes of the files that its loss reads.

    Raises:
        UserError: when one of them is missing.
    """
    check_loss(config)
    hashes: dict[str, str] = {}
    if config.teacher is not None:
        hashes["teacher_sha256"] = sha256_file(teacher_file(Path(config.teacher)))
    if config.perceptual_weights is not None:
        path = Path(config.perceptual_weights)
        if not path.is_file():
            raise UserError(f"VGG16 weights {path} were not found; give the .npz that holds them")
        hashes["perceptual_sha256"] = sha256_file(path)
    return config.model_copy(update=hashes)
