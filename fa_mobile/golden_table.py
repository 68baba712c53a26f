"""The golden table: what every implementation of a bundle's surroundings must reproduce.

``golden/table.json`` holds rows of inputs and results for all that runs outside the artifact (which
member, which tiles, which padding, which DN in the file). It is made with the functions that the
Python session itself uses, and replayed by ``fa-mobile verify`` and by the Kotlin and Swift cores.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, get_args

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fa_mobile.bayer import CFA_PATTERNS, CfaPattern, pack, pad_to_phase
from fa_mobile.errors import UserError, describe_validation
from fa_mobile.manifest import Manifest
from fa_mobile.noise import KSigma, NoiseParameters, inverse_k_sigma, k_sigma
from fa_mobile.runtimes.reading import MirroredMosaic, Rectangle, whole_dn
from fa_mobile.runtimes.tiling import plan_frame
from fa_mobile.selection import select

TABLE_FILE: Final = "golden/table.json"
TABLE_SCHEMA: Final = 1

Number = Annotated[float, Field(allow_inf_nan=False)]
Side = Annotated[int, Field(ge=2, le=32768)]
Pair = tuple[Side, Side]
Small = Annotated[int, Field(ge=2, le=64)]
Samples = tuple[tuple[int, ...], ...]


class _Row(BaseModel):
    """Inputs and results of one function; ``of`` computes the results from the inputs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    INPUTS: ClassVar[tuple[str, ...]]
    results: ClassVar[Callable[..., dict[str, Any]]]
    """(manifest, the inputs by name) to the results by name."""

    @classmethod
    def of(cls, manifest: Manifest, inputs: dict[str, Any]) -> Self:
        """The row of ``inputs``."""
        return cls(**inputs, **cls.results(manifest, **inputs))

    def again(self, manifest: Manifest) -> Self:
        """The row as it is computed now."""
        return self.of(manifest, {name: getattr(self, name) for name in self.INPUTS})


class SelectionRow(_Row):
    """``value``: the gain, or a where the bundle takes the noise; float32 throughout."""

    INPUTS = ("value",)
    value: Number
    a: Number
    member: int

    @staticmethod
    def results(manifest: Manifest, *, value: float) -> dict[str, Any]:
        a = np.float32(value)
        if manifest.selector == "gain":
            a = manifest.sensor.a_float32(a)
        return {"a": float(a), "member": select(a, manifest.edges)}


class NoiseRow(_Row):
    """a and b of a gain in double precision, and a in the float32 steps of the selection."""

    INPUTS = ("gain",)
    gain: Number
    a_float32: Number
    a: Number
    b: Number

    @staticmethod
    def results(manifest: Manifest, *, gain: float) -> dict[str, Any]:
        a, b = manifest.sensor.noise(gain)
        return {"a_float32": float(manifest.sensor.a_float32(gain)), "a": a, "b": b}


class KSigmaRow(_Row):
    """The signal ``x`` with noise (a, b) in the anchor's domain and back, in double precision."""

    INPUTS = ("x", "a", "b", "anchor_a", "anchor_b")
    x: Number
    a: Number
    b: Number
    anchor_a: Number
    anchor_b: Number
    scale: Number
    offset: Number
    z: Number
    back: Number

    @staticmethod
    def results(
        manifest: Manifest, *, x: float, a: float, b: float, anchor_a: float, anchor_b: float
    ) -> dict[str, Any]:
        del manifest
        step = KSigma.between(NoiseParameters(a, b), NoiseParameters(anchor_a, anchor_b))
        z = k_sigma(x, step)
        back = inverse_k_sigma(z, step)
        return {"scale": step.scale, "offset": step.offset, "z": z, "back": back}


class PackingRow(_Row):
    """A mosaic, mirrored until red is at the origin and the sides fit, and its four planes."""

    INPUTS = ("cfa", "multiple", "minimum", "mosaic")
    cfa: CfaPattern
    multiple: Small
    minimum: tuple[Small, Small]
    mosaic: Samples
    origin: tuple[int, int]
    padded: Samples
    packed: tuple[Samples, ...]

    @staticmethod
    def results(
        manifest: Manifest, *, cfa: CfaPattern, multiple: int, minimum: Pair, mosaic: Samples
    ) -> dict[str, Any]:
        del manifest
        padded, origin = pad_to_phase(np.array(mosaic), cfa, multiple, minimum)
        return {"origin": origin, "padded": padded.tolist(), "packed": pack(padded).tolist()}


class TilingRow(_Row):
    """Tiles of a capture: ``read`` in the padded mosaic, ``write`` in the capture itself."""

    INPUTS = ("height", "width", "cfa", "stride", "halo", "tile", "minimum")
    height: Side
    width: Side
    cfa: CfaPattern
    stride: Small
    halo: Annotated[int, Field(ge=0)]
    tile: Pair
    minimum: Pair
    padded: Pair
    origin: tuple[int, int]
    read: tuple[Rectangle, ...]
    write: tuple[Rectangle, ...]

    @staticmethod
    def results(
        manifest: Manifest, *, height: int, width: int, cfa: CfaPattern, stride: int,
        halo: int, tile: Pair, minimum: Pair,
    ) -> dict[str, Any]:  # fmt: skip
        del manifest
        capture = np.broadcast_to(np.uint16(0), (height, width))  # only its shape is needed
        frame = MirroredMosaic(capture, cfa, stride, minimum)
        tiles = plan_frame(*frame.shape, tile, halo, stride)
        read = [(t.rows.start, t.rows.stop, t.cols.start, t.cols.stop) for t in tiles]
        write = [frame.written(tile) for tile in tiles]
        return {"padded": frame.shape, "origin": frame.origin, "read": read, "write": write}


class DnRow(_Row):
    """A float32 sample of the result and the whole DN that a file holds for it."""

    INPUTS = ("value", "white")
    value: Number
    white: Number
    dn: int

    @staticmethod
    def results(manifest: Manifest, *, value: float, white: float) -> dict[str, Any]:
        del manifest
        return {"dn": int(whole_dn(np.array([value], np.float32), white)[0])}


class GoldenTable(BaseModel):
    """``golden/table.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = TABLE_SCHEMA
    bundle: str
    selector: Literal["gain", "noise-profile"]
    selection: tuple[SelectionRow, ...]
    noise: tuple[NoiseRow, ...]
    k_sigma: tuple[KSigmaRow, ...]
    packing: tuple[PackingRow, ...]
    tiling: tuple[TilingRow, ...]
    dn: tuple[DnRow, ...]
    vectors: tuple[str, ...]
    """Names of the manifest's golden vectors: what an implementation denoises."""

    def to_json(self) -> str:
        """JSON, a row to a line."""
        fields = [f'  "{name}": {_json_lines(value)}' for name, value in self.model_dump().items()]
        return "{\n" + ",\n".join(fields) + "\n}\n"


_SECTIONS: Final = ("selection", "noise", "k_sigma", "packing", "tiling", "dn")


def golden_table(manifest: Manifest) -> GoldenTable:
    """The table of a bundle, from its manifest alone."""
    white = manifest.sensor.white_level
    values = [value for value, _ in manifest.selection]
    rows = {
        "selection": [SelectionRow.of(manifest, {"value": value}) for value in values],
        "noise": [NoiseRow.of(manifest, {"gain": gain}) for gain in _gains(manifest)],
        "k_sigma": [KSigmaRow.of(manifest, case) for case in _k_sigma_cases(manifest)],
        "packing": [PackingRow.of(manifest, case) for case in _packing_cases()],
        "tiling": [TilingRow.of(manifest, case) for case in _tiling_cases(manifest)],
        "dn": [DnRow.of(manifest, {"value": v, "white": white}) for v in _dn_values(white)],
    }
    return GoldenTable.model_validate(
        {
            "bundle": manifest.name,
            "selector": manifest.selector,
            "vectors": tuple(vector.name for vector in manifest.golden),
            **rows,
        }
    )


def write_table(folder: Path, manifest: Manifest) -> None:
    """Write ``golden/table.json`` into a bundle; its sums must be written afterwards."""
    path = folder / TABLE_FILE
    path.parent.mkdir(exist_ok=True)
    path.write_text(golden_table(manifest).to_json(), encoding="utf-8")


def read_table(folder: Path) -> GoldenTable:
    """Read and validate the table of a bundle.

    Raises:
        UserError: when there is none, or it is not one that this fa-mobile reads.
    """
    path = folder / TABLE_FILE
    if not path.is_file():
        raise UserError(
            f"bundle {folder} has no {TABLE_FILE}: an earlier fa-mobile exported it. It runs, but "
            "the apps' self-test needs the table; export it again"
        )
    try:
        return GoldenTable.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not JSON: {error}; export the bundle again") from error
    except ValidationError as error:
        raise UserError(f"{path}: {describe_validation(error)}; export the bundle again") from error


def replay_table(folder: Path, manifest: Manifest) -> None:
    """Compute every row of a bundle's table anew and compare.

    Raises:
        UserError: naming each row that this fa-mobile answers differently.
    """
    table = read_table(folder)
    problems = list(_differences(table, manifest))
    if problems:
        raise UserError(
            f"{folder / TABLE_FILE} is not what this fa-mobile computes: {'; '.join(problems)}; "
            "export the bundle again"
        )


def _differences(table: GoldenTable, manifest: Manifest) -> Iterator[str]:
    if (table.bundle, table.selector) != (manifest.name, manifest.selector):
        yield f"it belongs to {table.bundle} ({table.selector}), not to {manifest.name}"
        return
    if table.vectors != tuple(vector.name for vector in manifest.golden):
        yield "its vectors are not the manifest's"
    if tuple((row.value, row.member) for row in table.selection) != manifest.selection:
        yield "its selection is not the manifest's"
    for section in _SECTIONS:
        rows: Sequence[_Row] = getattr(table, section)
        if not rows:
            yield f"{section} is empty"
        for index, row in enumerate(rows):
            try:
                same = row.again(manifest) == row
            except ValueError as error:
                yield f"{section}[{index}]: {error}"
            else:
                if not same:
                    yield f"{section}[{index}] differs"


def _json_lines(value: Any) -> str:
    if isinstance(value, tuple) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {json.dumps(row)}" for row in value) + "\n  ]"
    return json.dumps(value)


def _gains(manifest: Manifest) -> list[float]:
    """Float32 gains from below the profile's range to above it."""
    low, high = manifest.sensor.gain_range
    return [float(np.float32(g)) for g in (low / 2, *np.geomspace(low, high, 9), high * 1.5)]


def _k_sigma_cases(manifest: Manifest) -> Iterator[dict[str, Any]]:
    anchor = manifest.sensor.noise(manifest.sensor.gain_range[0])
    for gain in _gains(manifest)[::3]:
        a, b = manifest.sensor.noise(gain)
        for x in (manifest.sensor.pedestal, 0.0, 0.18, 1.0):
            yield {"x": x, "a": a, "b": b, "anchor_a": anchor.a, "anchor_b": anchor.b}


def _packing_cases() -> Iterator[dict[str, Any]]:
    """Even and odd sides; (2, 3) to (8, 12) reflects back and forth."""
    for cfa in CFA_PATTERNS:
        for height, width, multiple, minimum in (
            (4, 6, 2, (2, 2)), (5, 7, 4, (2, 2)), (2, 3, 4, (8, 12)),
        ):  # fmt: skip
            mosaic = [[100 * row + col for col in range(width)] for row in range(height)]
            yield {"cfa": cfa, "multiple": multiple, "minimum": minimum, "mosaic": mosaic}


def _tiling_cases(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """The bundle's own geometry on many sizes, and others' on few.

    A network that reaches far may have a halo that leaves nothing of its tile: such a bundle takes
    frames of one tile, and has no rows of more.
    """
    m = manifest
    least = m.tile if m.fixed_shape else (m.min_side, m.min_side)
    own = {"stride": m.stride, "halo": m.halo, "tile": m.tile, "minimum": least}
    rows, cols = m.tile
    sizes = [
        (3120, 4208), (2, 2), (37, 1001), (rows, cols), (rows + 1, cols - 1),
        (2 * rows + 3, cols + m.stride + 5),
    ]  # fmt: skip
    tiles = min(m.tile) > 2 * m.halo
    for height, width in sizes:
        if tiles or (height <= rows and width <= cols):
            yield {"height": height, "width": width, "cfa": "RGGB", **own}
    for cfa in get_args(CfaPattern)[1:] if tiles else ():
        yield {"height": rows + 7, "width": cols + 8, "cfa": cfa, **own}
    for stride, halo, tile in ((8, 48, (1024, 1024)), (16, 48, (512, 512)), (16, 48, (256, 768))):
        other = {"stride": stride, "halo": halo, "tile": tile, "minimum": (2 * stride, 2 * stride)}
        yield {"height": 3120, "width": 4208, "cfa": "RGGB", **other}
        yield {"height": 999, "width": 1333, "cfa": "BGGR", **other}


def _dn_values(white: float) -> list[float]:
    """Halves, which round to even, and what lies beyond either end."""
    low = [-1e9, -3.5, -0.5, 0.0, 0.49, 0.5, 1.5, 2.5, 63.5, 64.5, 100.25]
    return [
        float(np.float32(v)) for v in (*low, white - 0.5, white - 0.25, white, white + 0.6, 1e9)
    ]
