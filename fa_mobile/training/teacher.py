"""A trained denoiser to learn from: its output, and what its layers make of a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from fa_mobile.domains import domain_of
from fa_mobile.errors import UserError
from fa_mobile.networks import FeatureAlignNet, MobileNet, PmridNet, WaveletUNet
from fa_mobile.networks.baselines import PMRID_ANCHOR, load_pmrid
from fa_mobile.noise import NoiseParameters
from fa_mobile.nsma import ARRAY_FILE, load_checkpoint
from fa_mobile.selection import Edges

_U_NET: Final = ("enc0", "enc1", "middle", "dec1", "dec0")
TAPPED: Final[dict[type[nn.Module], tuple[str, ...]]] = {
    MobileNet: ("trunk.enc0", "trunk.align1", "trunk.align2", "trunk.dec1", "trunk.align0"),
    FeatureAlignNet: _U_NET,
    WaveletUNet: _U_NET,
    PmridNet: ("enc1", "enc2", "enc3", "enc4", "dec1", "dec2", "dec3", "dec4"),
}
"""The layers whose activations are compared: the output of every stage, at every resolution, on
the way down and up (where a stage ends in Feature-Align, behind it)."""


class Teacher:
    """An array of frozen networks, in evaluation mode; each patch meets the one for its noise.

    Signals are normalised and packed, [N, 4, h, w]; ``a`` and ``b`` are [N, 1, 1, 1].
    """

    def __init__(
        self,
        networks: Sequence[nn.Module],
        edges: Edges,
        anchors: Sequence[NoiseParameters],
    ) -> None:
        self.networks = [network.eval().requires_grad_(False) for network in networks]
        self._edges = torch.tensor(edges, dtype=torch.float32)
        self._anchors = anchors
        self._domain = domain_of(networks[0])
        self._seen: list[Tensor] = []
        for network in networks:
            for name in TAPPED[type(network)]:
                network.get_submodule(name).register_forward_hook(self._keep)

    @property
    def patch_multiple(self) -> int:
        """Sides of a patch are multiples of this, in mosaic pixels."""
        return 2 * int(self.networks[0].PACKED_STRIDE)  # type: ignore[arg-type]

    @torch.no_grad()
    def output(self, noisy: Tensor, a: Tensor, b: Tensor) -> Tensor:
        """The denoised signal, not clipped, without gradient."""
        out = torch.empty_like(noisy)
        for member, chosen in self._by_member(a):
            out[chosen] = self._run(member, noisy[chosen], a[chosen], b[chosen])
        self._seen.clear()
        return out

    def activations(self, signal: Tensor, a: Tensor, b: Tensor) -> list[Tensor]:
        """What the tapped layers give for ``signal``, as if it were a capture of noise (a, b).

        With the noise of the capture that it stems from, a picture enters at the scale that the
        teacher knows. Gradients pass to ``signal``.

        Returns:
            One [N, C, h, w] per layer; patches of one member come together, so their order
            depends on ``a`` alone.
        """
        groups = []
        for member, chosen in self._by_member(a):
            self._seen.clear()
            self._run(member, signal[chosen], a[chosen], b[chosen])
            groups.append(list(self._seen))
        self._seen.clear()
        return [torch.cat(layer) for layer in zip(*groups, strict=True)]

    def _keep(self, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        self._seen.append(output)

    def _by_member(self, a: Tensor) -> Iterator[tuple[int, Tensor]]:
        """(member, indices of its patches), members rising; the selection is that of bundles."""
        members = (a.flatten()[:, None] >= self._edges).sum(dim=1)
        for member in sorted(set(members.tolist())):
            yield member, torch.nonzero(members == member).flatten()

    def _run(self, member: int, signal: Tensor, a: Tensor, b: Tensor) -> Tensor:
        anchor_a, anchor_b = (torch.full_like(a, value) for value in self._anchors[member])
        scalars = self._domain.scalars(a, b, anchor_a, anchor_b)
        features = self._domain.enter(signal, *scalars)
        residual = self.networks[member](features.contiguous(memory_format=torch.channels_last))
        return self._domain.leave(signal, features, residual, *scalars)


def load_teacher(path: Path) -> Teacher:
    """A teacher from a checkpoint folder, or from the file of PMRID's released weights.

    Raises:
        UserError: when ``path`` is neither.
    """
    if path.is_dir():
        array = load_checkpoint(path)
        return Teacher(list(array.networks), array.spec.edges, array.spec.anchors)
    if path.is_file():
        return Teacher([load_pmrid(path)], (), [PMRID_ANCHOR])
    raise missing_teacher(path)


def teacher_file(path: Path) -> Path:
    """The file whose hash tells teachers apart: it holds, or states the hash of, all weights.

    Raises:
        UserError: when there is none.
    """
    file = path / ARRAY_FILE if path.is_dir() else path
    if not file.is_file():
        raise missing_teacher(path)
    return file


def missing_teacher(path: Path) -> UserError:
    """What to say of a teacher that is not there."""
    return UserError(
        f"teacher {path} was not found or has no {ARRAY_FILE}; allowed is a checkpoint folder, as "
        "'fa-mobile train' writes it, or the file of PMRID's released weights"
    )
