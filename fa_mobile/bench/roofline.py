"""What a bundle attains beside what the machine allows: MACs per second over MACs per byte."""

from __future__ import annotations

from fa_mobile.bench.schema import Roof


def roof(
    *,
    executed_gmacs_per_mp: float,
    nominal_gmacs_per_mp: float,
    bytes_per_mp: float,
    ms_per_mp: float,
    ceiling_gmacs_per_s: float,
    bandwidth_gbytes_per_s: float,
) -> Roof:
    """Place one entry under the roof (Williams, Waterman, Patterson 2009, with MACs for flops).

    Args:
        executed_gmacs_per_mp, bytes_per_mp: per 10^6 pixels of the frame, overlap of tiles
            included.
        ms_per_mp: of the median.
        ceiling_gmacs_per_s: the runtime's best convolution in the bundle's precision.
    """
    intensity = executed_gmacs_per_mp * 1e9 / bytes_per_mp
    memory_roof = intensity * bandwidth_gbytes_per_s
    allowed = min(ceiling_gmacs_per_s, memory_roof)
    attained = executed_gmacs_per_mp / ms_per_mp * 1000
    return Roof(
        executed_gmacs_per_s=attained,
        nominal_gmacs_per_s=nominal_gmacs_per_mp / ms_per_mp * 1000,
        macs_per_byte=intensity,
        gbytes_per_s=bytes_per_mp / ms_per_mp / 1e6,
        allowed_gmacs_per_s=allowed,
        share=attained / allowed,
        bound="memory" if memory_roof < ceiling_gmacs_per_s else "compute",
    )
