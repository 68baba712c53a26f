"""The sentences that hold our order against the paper's."""

from __future__ import annotations

import pytest

from fa_mobile.experiments.order import verdict
from tests.experiments.tables import settings_of, table_of


def test_the_paper_is_agreed_with() -> None:
    text = verdict(table_of("ablation", paper=[40, 38], plain=[39, 37], paper_no_skips=[38, 36]))
    assert text == (
        "The paper puts Feature-Align first, and so does this table: `paper` (39.000 dB) is ahead "
        "of `plain` by 1.000 dB. At every gain `paper` is first. One seed each: how much of a "
        "difference is chance was not measured."
    )


def test_rows_before_the_papers_first_are_named() -> None:
    text = verdict(table_of("ablation", paper=[40, 38], plain=[39, 41], wavelet=[40, 39]))
    assert "**The order differs here**: `plain` (40.000 dB), `wavelet` (39.500 dB) stand" in text
    assert "stand before `paper` (39.000 dB)." in text
    assert "another row is before `paper` at 8." in text
    single = verdict(table_of("subranges", one_model=[40], array=[39]))
    assert (
        "**The order differs here**: one model (40.000 dB) stands before array of n = 4" in single
    )


def test_networks_that_the_paper_has_not_are_left_out() -> None:
    assert "so does this table" in verdict(
        table_of("ablation", mobile=[50], paper=[40], plain=[39])
    )


def test_a_tie_is_no_other_order() -> None:
    text = verdict(table_of("subranges", one_model=[40], array=[40]))
    assert "so does this table" in text and "by 0.000 dB" in text


def test_of_the_perceptual_distance_the_smaller_is_better() -> None:
    rows = {"charbonnier": [0.5, 0.4, 0.3], "feature": [0.4, 0.3, 0.35]}
    text = verdict(table_of("losses", "st-lpips", **rows))
    assert "so does this table: Feature Loss (0.3500) is ahead of Charbonnier by 0.0500" in text
    assert "another row is before Feature Loss at 64" in text
    worse = verdict(table_of("losses", "st-lpips", **{**rows, "distillation": [0.1, 0.1, 0.1]}))
    assert "**The order differs here**: distillation (0.1000) stands before Feature Loss" in worse


@pytest.mark.parametrize(
    ("plain", "said"),
    [([[39.0], [40.2]], "`paper` and `plain` overlap"), ([[39.0], [39.2]], "do not overlap")],
)
def test_seeds_say_what_may_be_chance(plain: list[list[float]], said: str) -> None:
    assert said in verdict(table_of("ablation", paper=[[40.0], [40.4]], plain=plain))


def test_nothing_is_said_of_what_was_not_measured() -> None:
    unmeasured = table_of("losses", charbonnier=[40], feature=[41])
    assert "it was not measured here" in verdict(unmeasured)
    assert "`plain` was measured here, so nothing" in verdict(table_of("ablation", plain=[40]))
    assert "none was measured" in verdict(table_of("ablation", mobile=[40]))
    assert unmeasured.settings == settings_of(gains=(1.0,))
