"""Export recipes: one TOML file per deployment, all of its errors reported at once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.targets.table import PRECISIONS, TARGET_NAMES

RECIPE_SCHEMA: Final = 1
SIDE_STEP: Final = 16
SMALLEST_SIDE: Final = 128
LARGEST_SIDE: Final = 8192


def _checked_tile(tile: int | tuple[int, int]) -> int | tuple[int, int]:
    for side in (tile,) if isinstance(tile, int) else tile:
        if not SMALLEST_SIDE <= side <= LARGEST_SIDE or side % SIDE_STEP:
            nearest = min(max(round(side / SIDE_STEP) * SIDE_STEP, SMALLEST_SIDE), LARGEST_SIDE)
            raise ValueError(
                f"{side} is no side of a tile: sides are multiples of {SIDE_STEP} from "
                f"{SMALLEST_SIDE} to {LARGEST_SIDE}, the nearest is {nearest}"
            )
    return tile


Tile = Annotated[int | tuple[int, int], AfterValidator(_checked_tile)]
CHECKPOINTS: Final = Path(__file__).parent / "checkpoints"


class TargetRequest(BaseModel):
    """One target and the precisions to export it in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    precisions: Annotated[tuple[str, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.name not in TARGET_NAMES:
            raise ValueError(f"target {self.name!r}: allowed are {', '.join(TARGET_NAMES)}")
        allowed = PRECISIONS[self.name]
        if wrong := [p for p in self.precisions if p not in allowed]:
            raise ValueError(
                f"precision {', '.join(map(repr, wrong))} of {self.name}: allowed are "
                f"{', '.join(allowed)}"
            )
        return self


class Recipe(BaseModel):
    """What to export. Paths are relative to the recipe's file.

    ``sensor`` and ``checkpoint`` are built-in names or paths; ``calibration`` is a folder of
    photos for int8 ranges and golden vectors (without it: photos that scikit-image ships);
    ``output`` is relative to the folder in which the export is started. ``tile`` is a side, or
    [rows, columns].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1]
    sensor: str
    checkpoint: str
    output: str = "dist"
    selector: Literal["gain", "noise-profile"] = "gain"
    tile: Tile = 1024
    calibration: str | None = None
    target: Annotated[tuple[TargetRequest, ...], Field(min_length=1)]


def load_recipe(path: Path, tile: tuple[int, int] | None = None) -> Recipe:
    """Read and validate a recipe.

    Args:
        path: of the TOML file.
        tile: (rows, columns) in place of the file's.

    Raises:
        UserError: naming every error of the file.
    """
    if not path.is_file():
        raise UserError(f"recipe {path} does not exist; give a TOML file like export/imx258.toml")
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        recipe = Recipe.model_validate(data if tile is None else {**data, "tile": tile})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"recipe {path} is not TOML: {error}") from error
    except ValidationError as error:
        raise UserError(f"recipe {path}: {describe_validation(error)}") from error
    return recipe


def checkpoint_folder(recipe: Recipe, path: Path) -> Path:
    """The folder of the recipe's checkpoint: built in, or relative to the recipe at ``path``."""
    return built_in_checkpoint(recipe.checkpoint) or path.parent / recipe.checkpoint


def built_in_checkpoint(name: str) -> Path | None:
    """The folder of the checkpoint of that name that the package ships, or None."""
    return CHECKPOINTS / name if name in built_in_checkpoints() else None


def built_in_checkpoints() -> tuple[str, ...]:
    """Names of the checkpoints that the package ships."""
    return tuple(sorted(path.name for path in CHECKPOINTS.iterdir() if path.is_dir()))
