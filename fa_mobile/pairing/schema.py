"""``index.json`` of a dataset of pairs."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fa_mobile.sensor import SensorProfile

INDEX_SCHEMA: Final = 1
INDEX_FILE: Final = "index.json"
MOST_SAMPLES: Final = 2**29
"""Of a stored frame: more than any sensor has; larger claims are refused before memory is taken."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,119}$")]
Place = Annotated[
    str,
    Field(pattern=r"^(noisy|truth|preview|rejected)/[A-Za-z0-9][A-Za-z0-9_.-]{0,119}\.(tif|png)$"),
]
"""A file of the dataset: in one of its folders, never outside."""
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
    """A capture that a pair was made from; its name only, so that no path of a machine leaks."""

    name: str
    sha256: Sha256
    gain: Positive
    iso: Positive | None
    exposure_seconds: Positive | None


class Stored(_Part):
    """A file of the dataset."""

    path: Place
    sha256: Sha256


class Crop(_Part):
    """Where the pair lies in its short exposure, in mosaic pixels of the frame as it was read."""

    top: Annotated[int, Field(ge=0)]
    left: Annotated[int, Field(ge=0)]
    height: Annotated[int, Field(ge=2, multiple_of=2)]
    width: Annotated[int, Field(ge=2, multiple_of=2)]

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.height * self.width > MOST_SAMPLES:
            raise ValueError(f"{self.height} x {self.width} is larger than any sensor")
        return self


class PairEntry(_Part):
    """One pair. Signals are RGGB with red at the origin."""

    name: Name
    scene: str
    short: Source
    long: Source
    a: Positive
    """Of the noisy frame: variance a x + b of the signal in 0..1."""
    b: NotNegative
    truth_a: Positive
    """What noise the truth still has, at most."""
    truth_b: NotNegative
    brightness: Positive
    """The long exposure was multiplied by this, around its black level."""
    shift: tuple[Finite, Finite]
    """Rows, columns, in mosaic pixels, by which the long exposure was moved."""
    shift_error: NotNegative
    """Standard error of the larger one."""
    features: Annotated[int, Field(ge=0)]
    inlier_share: Share
    saturated_share: Share
    """Of the truth's samples: there is no truth there."""
    crop: Crop
    black_level: tuple[Finite, Finite, Finite, Finite]
    """DN, R, Gr, Gb, B order."""
    white_level: Positive
    noisy: Stored
    """16-bit TIFF, DN as the file held them."""
    truth: Stored
    """32-bit float TIFF, DN."""
    preview: Place

    @model_validator(mode="after")
    def _levels(self) -> Self:
        if not 0 <= min(self.black_level) <= max(self.black_level) < self.white_level <= 65535:
            raise ValueError(f"levels {self.black_level} and {self.white_level} do not fit")
        return self


class RejectedEntry(_Part):
    """A pair that was not kept."""

    scene: str
    short: str
    long: str
    reason: str
    map: Place | None


class SkippedEntry(_Part):
    """A file that could not be used."""

    file: str
    reason: str


class Index(_Part):
    """A dataset of pairs."""

    schema_version: Literal[1] = INDEX_SCHEMA
    kind: Literal["fa-mobile-pairs"] = "fa-mobile-pairs"
    made_with: str
    make: str
    model: str
    cfa: Literal["RGGB"] = "RGGB"
    profile: SensorProfile
    noise_from: Literal["profile", "dng"]
    pairs: tuple[PairEntry, ...]
    rejected: tuple[RejectedEntry, ...]
    skipped: tuple[SkippedEntry, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        names = [pair.name for pair in self.pairs]
        if len(set(names)) != len(names):
            raise ValueError("two pairs have one name")
        return self
