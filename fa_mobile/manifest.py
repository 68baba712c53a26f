"""``manifest.json``: what a bundle says of itself. Schema versioned and validated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.sensor import SensorProfile

MANIFEST_SCHEMA: Final = 2
MANIFEST_FILE: Final = "manifest.json"

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_PART = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
RelativeName = Annotated[str, Field(pattern=rf"^{_PART}(/{_PART})*$", max_length=200)]
"""A path below the bundle: no leading slash or dot, no '..'."""
PositiveInt = Annotated[int, Field(gt=0)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorSpec(_Model):
    """One input or output. Named sizes ("H", "W") are multiples of the stride."""

    name: str
    dtype: Literal["float32"]
    shape: tuple[int | str, ...]
    unit: str


class NetworkFacts(_Model):
    """The network and its cost: nominal as designed, executed as folded for this target."""

    name: str
    members: PositiveInt
    parameters: PositiveInt
    gmacs_per_mp: float
    executed_gmacs_per_mp: float


class Tolerance(_Model):
    """How far the artifact's golden outputs may be from the float reference.

    ``max_abs_dn``: largest difference of one sample (null: not bounded, as for int8).
    ``max_noise_ratio``: RMS difference over the RMS of the noise that was in the input, for each
    vector. ``max_psnr_loss_db``: PSNR lost against ground truth, errors pooled over the vectors.
    """

    max_abs_dn: float | None
    max_noise_ratio: float
    max_psnr_loss_db: float


class GoldenVector(_Model):
    """One input and the float reference's output, as headerless little-endian files.

    ``raw`` uint16 [height, width] DN, RGGB; ``reference`` and ``truth`` float32 in DN. ``gain`` is
    null where the bundle takes the noise itself.
    """

    name: str
    height: PositiveInt
    width: PositiveInt
    gain: float | None
    a: float
    b: float
    member: Annotated[int, Field(ge=0)]
    raw: RelativeName
    reference: RelativeName
    truth: RelativeName


class Manifest(_Model):
    """Everything that a runtime, an app or a reviewer must know of a bundle."""

    schema_version: Literal[2] = MANIFEST_SCHEMA
    name: str
    target: Literal["executorch", "onnx", "coreml"]
    precision: Literal["fp32", "fp16", "int8"]
    selector: Literal["gain", "noise-profile"]
    files: tuple[RelativeName, ...]
    """The model first."""
    call: dict[str, str]
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    sensor: SensorProfile
    edges: tuple[float, ...]
    stride: PositiveInt
    halo: PositiveInt
    tile: tuple[PositiveInt, PositiveInt]
    """Rows and columns: the only input of a fixed shape, the largest otherwise."""
    min_side: PositiveInt
    fixed_shape: bool
    network: NetworkFacts
    model_bytes: PositiveInt
    float_islands: tuple[str, ...]
    delegated: dict[str, int]
    undelegated: dict[str, int]
    planned_memory_bytes: int | None
    tolerance: Tolerance
    golden: tuple[GoldenVector, ...]
    selection: tuple[tuple[float, int], ...]
    """(gain or a, member) pairs that every selector must reproduce, edges and their neighbours."""
    checkpoint: str
    checkpoint_sha256: Sha256
    tool_versions: dict[str, str]


def parse_manifest(path: Path) -> Manifest:
    """Read and validate a manifest.

    Raises:
        UserError: for a missing file, wrong JSON, an unknown schema version, wrong fields.
    """
    if not path.is_file():
        raise UserError(
            f"{path.parent} is not a bundle: it has no {MANIFEST_FILE}; "
            "give a folder that 'fa-mobile export' wrote"
        )
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not JSON: {error}; export the bundle again") from error
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != MANIFEST_SCHEMA:
        raise UserError(
            f"{path} has schema version {version!r}; this fa-mobile reads {MANIFEST_SCHEMA}: "
            "export the bundle again, or use the fa-mobile that wrote it"
        )
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        raise UserError(f"{path}: {describe_validation(error)}") from error
