"""The networks, by name. One table serves checkpoints, the command line and the tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from torch import nn

from fa_mobile.networks.baselines import PmridNet, WaveletUNet
from fa_mobile.networks.feature_align import FeatureAlignNet
from fa_mobile.networks.mobile import MobileNet

_BUILDERS: Final[dict[str, Callable[[], nn.Module]]] = {
    "mobile": MobileNet,
    "paper": FeatureAlignNet,
    "paper-no-skips": lambda: FeatureAlignNet(skips=False),
    "plain": lambda: FeatureAlignNet(feature_align=False),
    "wavelet": WaveletUNet,
    "pmrid": PmridNet,
    "mobile-x3": lambda: MobileNet(scale=3),
}
NETWORK_NAMES: Final = tuple(_BUILDERS)


def build_network(name: str) -> nn.Module:
    """An untrained network: features [N, 4, h, w] to residual [N, 4, h, w].

    Raises:
        ValueError: for a name that is not in ``NETWORK_NAMES``.
    """
    if name not in _BUILDERS:
        raise ValueError(f"network {name!r} was given; allowed are {', '.join(NETWORK_NAMES)}")
    return _BUILDERS[name]()


__all__ = [
    "NETWORK_NAMES",
    "FeatureAlignNet",
    "MobileNet",
    "PmridNet",
    "WaveletUNet",
    "build_network",
]
