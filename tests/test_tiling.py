"""Tiles cover every sample once, and the tiled result is the whole one."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fa_mobile.counting import mosaic_halo
from fa_mobile.denoiser import MemberDenoiser
from fa_mobile.runtimes.tiling import plan_axis, plan_frame
from tests.conftest import visible_array


@given(
    cells=st.integers(1, 200), tile=st.integers(5, 60), halo=st.integers(0, 10),
    stride=st.sampled_from([2, 8, 32]),
)  # fmt: skip
def test_axis_is_covered_once_with_full_halo(cells: int, tile: int, halo: int, stride: int) -> None:
    length, tile, halo = cells * stride, tile * stride, halo * stride // 2
    if tile <= 2 * halo and length > tile:
        with pytest.raises(ValueError, match="more than twice the halo"):
            plan_axis(length, tile, halo, stride)
        return
    spans = plan_axis(length, tile, halo, stride)
    kept = np.concatenate([np.arange(s.keep_start, s.keep_stop) for s in spans])
    assert np.array_equal(kept, np.arange(length))
    for span in spans:
        assert span.stop - span.start == min(tile, length)
        assert span.start >= 0 and span.stop <= length and span.start % stride == 0
        assert span.start == 0 or span.keep_start - span.start >= halo
        assert span.stop == length or span.stop - span.keep_stop >= halo


def test_axis_refuses_what_is_off_the_stride() -> None:
    with pytest.raises(ValueError, match="length=30.*multiples of the stride 8"):
        plan_axis(30, 16, 0, 8)


def test_imx258_frame_is_covered() -> None:
    tiles = plan_frame(3120, 4208, (1024, 1024), 48, 8)
    assert sum(
        (t.rows.keep_stop - t.rows.keep_start) * (t.cols.keep_stop - t.cols.keep_start)
        for t in tiles
    ) == 3120 * 4208  # fmt: skip


@pytest.mark.parametrize(("network", "stride"), [("paper", 8), ("mobile", 16)])
def test_tiled_equals_whole(network: str, stride: int) -> None:
    """In float64, where kernels' rounding does not hide a seam; runtimes are tested in float32."""
    array = visible_array(1, network)
    member = MemberDenoiser(array.networks[0], array.spec.anchors[0], array.spec.profile)
    member = member.double().eval()
    halo, height, width = mosaic_halo(array.networks[0]), 304, 272
    generator = torch.Generator().manual_seed(3)
    frame = torch.randint(0, 1024, (1, 1, height, width), generator=generator).double()
    noise = [torch.tensor([v], dtype=torch.float64) for v in array.spec.profile.noise(4)]
    with torch.no_grad():
        whole = member(frame, *noise)
        tiled = torch.full_like(whole, torch.nan)
        tiles = plan_frame(height, width, (2 * halo + 64, 2 * halo + 64), halo, stride)
        assert len(tiles) > 4
        for tile in tiles:
            rows, cols = tile.rows, tile.cols
            out = member(frame[..., rows.start : rows.stop, cols.start : cols.stop], *noise)
            tiled[..., rows.keep_start : rows.keep_stop, cols.keep_start : cols.keep_stop] = out[
                ...,
                rows.keep_start - rows.start : rows.keep_stop - rows.start,
                cols.keep_start - cols.start : cols.keep_stop - cols.start,
            ]
    assert float((whole - tiled).abs().max()) <= 1e-9
    assert float((whole - frame).abs().max()) > 1
