"""Captures for int8 calibration, each member's from its own subrange of noise."""

from __future__ import annotations

import math

import numpy as np

from fa_mobile.noise import NoiseParameters
from fa_mobile.nsma import ArraySpec, subrange
from fa_mobile.patches import Patches, capture, to_dn
from fa_mobile.targets.base import CalibrationSample

_SEED = 258


def calibration_samples(patches: Patches, spec: ArraySpec) -> list[list[CalibrationSample]]:
    """For each member, every patch with noise spread over the member's own subrange."""
    rng = np.random.default_rng(_SEED)
    samples = []
    for member in range(spec.members):
        low, high = subrange(spec.profile.a_range, spec.edges, member)
        steps = np.linspace(math.log(low), math.log(high), len(patches))
        noises = [NoiseParameters(a, spec.profile.line_b(a)) for a in np.exp(steps).tolist()]
        samples.append(
            [
                CalibrationSample(
                    capture(clean, noise, spec.profile, rng)[None, None],
                    *noise,
                    truth=to_dn(clean, spec.profile)[None, None],
                )
                for clean, noise in zip(patches, noises, strict=True)
            ]
        )
    return samples
