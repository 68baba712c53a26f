"""Recipes: every error at once, nothing assumed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fa_mobile.errors import UserError
from fa_mobile.exporting import wanted_targets
from fa_mobile.recipe import load_recipe

GOOD = """
schema_version = 1
sensor = "imx258"
checkpoint = "imx258-nsma4"
[[target]]
name = "onnx"
precisions = ["fp32"]
"""


def recipe(folder: Path, text: str) -> Path:
    path = folder / "r.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_good_recipe(tmp_path: Path) -> None:
    loaded = load_recipe(recipe(tmp_path, GOOD))
    assert loaded.selector == "gain" and loaded.tile == 1024


def test_another_tile_is_checked_like_the_files(tmp_path: Path) -> None:
    path = recipe(tmp_path, GOOD)
    assert load_recipe(path, (256, 512)).tile == (256, 512)
    with pytest.raises(UserError, match=r"tile: 500 is no side.* multiples of 16 .*nearest is 496"):
        load_recipe(path, (256, 500))


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (None, [("onnx", ("fp32", "int8")), ("coreml", ("fp16",))]),
        (["onnx"], [("onnx", ("fp32",)), ("onnx", ("int8",))]),
        (["onnx-int8", "coreml"], [("onnx", ("int8",)), ("coreml", ("fp16",))]),
    ],
)
def test_only_names_targets_or_one_precision(
    tmp_path: Path, only: list[str] | None, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    text = GOOD.replace('["fp32"]', '["fp32", "int8"]')
    text += '[[target]]\nname = "coreml"\nprecisions = ["fp16"]\n'
    loaded = load_recipe(recipe(tmp_path, text))
    assert [(t.name, t.precisions) for t in wanted_targets(loaded, only)] == expected
    with pytest.raises(UserError, match="onnx-fp16 was asked for.*onnx, coreml.*onnx-int8"):
        wanted_targets(loaded, ["onnx-fp16"])


def test_shipped_recipe_is_valid() -> None:
    root = Path(__file__).parent.parent
    names = [t.name for t in load_recipe(root / "export" / "imx258.toml").target]
    assert names == ["executorch", "onnx", "coreml"]


def test_all_errors_are_named_at_once(tmp_path: Path) -> None:
    text = GOOD.replace('"onnx"', '"tflite"').replace("schema_version = 1", "tile = 100\nseed = 3")
    with pytest.raises(UserError) as caught:
        load_recipe(recipe(tmp_path, text))
    message = str(caught.value)
    for part in ("schema_version", "tile", "100", "seed", "'tflite': allowed are executorch, onnx"):
        assert part in message
    assert "\n" not in message


def test_wrong_precision_names_the_allowed(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'fp16' of onnx: allowed are fp32, int8"):
        load_recipe(recipe(tmp_path, GOOD.replace('"fp32"', '"fp16"')))


def test_not_toml_and_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not TOML"):
        load_recipe(recipe(tmp_path, "= ="))
    with pytest.raises(UserError, match="does not exist"):
        load_recipe(tmp_path / "none.toml")
