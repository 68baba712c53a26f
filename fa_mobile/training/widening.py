"""A wider network that starts as the same function as a trained narrow one.

Each channel is there several times, and what reads it splits its weight among the copies. The
shares are drawn at random, so that training finds the copies different: copies with equal weights
would get equal gradients for ever. After Net2Net (T. Chen et al. 2016, section 3).
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn

_SPREAD: Final = 0.4
"""Standard deviation of a share, around one over the number of copies."""
_Layer = nn.Conv2d | nn.ConvTranspose2d


def widened(narrow: nn.Module, wide: nn.Module, seed: int) -> dict[str, Tensor]:
    """Weights of ``wide`` with which it is the function that ``narrow`` is.

    Args:
        narrow: of convolutions, and operations that treat channels alike.
        wide: the same but for its channels, whole multiples of ``narrow``'s.
        seed: of the shares.
    """
    generator = torch.Generator().manual_seed(seed)
    found = {}
    layers = dict(narrow.named_modules())
    for name, target in wide.named_modules():
        source = layers[name]
        if not isinstance(target, _Layer) or not isinstance(source, _Layer):
            continue
        reads, makes = (0, 1) if isinstance(target, nn.ConvTranspose2d) else (1, 0)
        copies = target.out_channels // source.out_channels
        weight = torch.cat([source.weight.detach()] * copies, dim=makes)
        weight = _shared_out(weight, reads, target.in_channels // source.in_channels, generator)
        found[f"{name}.weight"] = weight.contiguous()
        if source.bias is not None:
            found[f"{name}.bias"] = torch.cat([source.bias.detach()] * copies)
    return found


def _shared_out(weight: Tensor, reads: int, copies: int, generator: torch.Generator) -> Tensor:
    """Weights on ``copies`` of each channel read, of which the sum is the weight on that one."""
    if copies == 1:
        return weight
    pairs = weight.shape[0], weight.shape[1], 1, 1
    drawn = _SPREAD * torch.randn((copies, *pairs), generator=generator)
    shares = drawn - drawn.mean(dim=0) + 1 / copies
    return torch.cat([weight * share for share in shares], dim=reads)
