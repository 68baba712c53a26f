"""What is kept of a table: written, read, continued, refused; and its Markdown."""

from __future__ import annotations

from pathlib import Path

import pytest

from fa_mobile.errors import UserError
from fa_mobile.evaluation.edges import EdgeStep
from fa_mobile.experiments.markdown import NOT_RUN, document, section
from fa_mobile.experiments.results import (
    Picture,
    continued_table,
    read_table,
    write_table,
)
from tests.experiments.tables import row_of, settings_of, table_of

TABLE = table_of("ablation", paper=[[40.0, 38.0], [42.0, 38.0]], plain=[[39.0, 37.0]])


def test_means_are_over_gains_and_seeds() -> None:
    assert TABLE.names() == ["paper", "plain"]
    assert TABLE.mean("paper", "raw-psnr") == 39.5
    assert TABLE.by_gain("paper", "raw-psnr") == [41, 38]


def test_a_row_takes_the_place_of_its_elder() -> None:
    again = row_of("plain", [41.0, 40.0])
    table = TABLE.with_row(again, TABLE.noisy)
    assert table.names() == ["paper", "plain"] and len(table.rows) == 3
    assert table.row("plain", 0) == again and table.row("plain", 1) is None


def test_a_table_is_continued_where_its_settings_are_the_same(tmp_path: Path) -> None:
    path = tmp_path / "table1.json"
    empty = TABLE.model_copy(update={"rows": (), "noisy": ()})
    assert continued_table(path, empty, anew=False) == empty
    write_table(TABLE, path)
    assert read_table(path) == TABLE
    assert continued_table(path, empty, anew=False) == TABLE
    other = empty.model_copy(update={"settings": settings_of(gains=(1.0, 8.0), steps=20, batch=4)})
    with pytest.raises(UserError, match=r"differ .*: steps \(10, 20\), batch \(2, 4\); give"):
        continued_table(path, other, anew=False)
    assert continued_table(path, other, anew=True) == other
    path.write_text("{}")
    with pytest.raises(UserError, match="holds no table .*--anew"):
        continued_table(path, empty, anew=False)


def test_markdown_has_what_was_kept() -> None:
    text = document(TABLE)
    assert text.startswith("# Table 1: Feature-Align against plain")
    assert "10 steps from scratch" in text and "seeds 0, 1" in text
    assert "The noise is synthetic" in text and "is *made for a test*" in text
    assert "| noisy | 30.00 | 30.00 |" in text
    assert "| `paper` (Feature-Align) | 41.00 | 38.00 |" in text
    assert (
        "39.500 | not measured | not measured | not measured | not measured | 39.000 to 40" in text
    )
    assert "one seed | - |" in text and "png" not in text
    assert section(None, "") == NOT_RUN == section(TABLE.model_copy(update={"rows": ()}), "")


def test_markdown_says_how_large_the_steps_across_edges_are() -> None:
    settings = settings_of(network="mobile", steps=30, common_steps=20, later_rate=0.005)
    steps = (EdgeStep(gain=2.5, below_db=40.0, above_db=40.04),)
    array = row_of("array", [40.0, 39.0, 38.0]).model_copy(update={"edges": steps})
    table = table_of("subranges", one_model=[40, 39, 38]).model_copy(update={"settings": settings})
    table = table.with_row(array, table.noisy)
    text = document(table)
    assert "Every network had 30 steps: 20 as one common network" in text and "4 x 10 steps" in text
    assert "peak rate 0.01, then 0.005" in text
    assert "0.040 dB, is within the goal" in text and "| 2.50 | 40.000 | 40.040 | +0.040 |" in text
    down = (EdgeStep(gain=2.5, below_db=40.0, above_db=39.9),)
    worse = table.with_row(array.model_copy(update={"edges": down}), table.noisy)
    assert "0.100 dB, is beyond the goal" in document(worse)


def test_markdown_shows_the_crops_that_were_drawn() -> None:
    picture = Picture(
        photo="a.png", top=2, left=4, side=112, gains=(8.0, 64.0), seed=0, rows=("paper",)
    )
    text = section(TABLE.model_copy(update={"picture": picture}), "results/")
    assert "![crops at gain 8 and 64](results/table1.png)" in text and "`a.png`" in text
    assert "Not shown: `plain`." in text
