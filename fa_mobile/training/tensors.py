"""A batch as torch tensors, in the domain of the network that trains on it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from fa_mobile.domains import Domain, Scalars
from fa_mobile.training.batches import Batch


class Patches(NamedTuple):
    """What networks and losses take. ``scalars`` are those of the network's domain.

    ``features``, ``noisy``, ``clean`` are [N, 4, h, w]; ``a``, ``b``, ``weight`` [N, 1, 1, 1];
    ``gains`` [N, 4, 1, 1] and ``camera_to_rgb`` [N, 3, 3] are the colour of each patch.
    """

    features: Tensor
    noisy: Tensor
    scalars: Scalars
    clean: Tensor
    a: Tensor
    b: Tensor
    weight: Tensor
    gains: Tensor
    camera_to_rgb: Tensor


def entered(batch: Batch, domain: Domain) -> Patches:
    """A batch in the network's domain; channels-last, which trains 1.5 times as fast on CPU."""
    noisy, clean, a, b, anchor_a, anchor_b, *rest = (torch.from_numpy(array) for array in batch)
    scalars = domain.scalars(a, b, anchor_a, anchor_b)
    features = domain.enter(noisy, *scalars)
    features = features.contiguous(memory_format=torch.channels_last)
    return Patches(features, noisy, scalars, clean, a, b, *rest)
