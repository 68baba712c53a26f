"""Reading a dataset of pairs.

A folder with ``index.json`` (:mod:`fa_mobile.pairing.schema`) and, for each pair:

- ``noisy/NAME.tif``: uint16 [H, W], RGGB with red at the origin, DN as the sensor's file held them.
- ``truth/NAME.tif``: float32 [H, W], the same DN, not rounded: the long exposure moved onto the
  noisy frame and brought to its brightness. It may lie a little below black and above white.
- ``preview/NAME.png``: noisy, truth, and where they differ, to look at.

TIFFs are deflate-compressed with one page, which any TIFF library opens.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import tifffile
from pydantic import ValidationError

from fa_mobile.bayer import CfaPattern
from fa_mobile.bundle import file_sha256
from fa_mobile.errors import UserError, describe_validation
from fa_mobile.noise import NoiseParameters
from fa_mobile.pairing.schema import INDEX_FILE, Index, PairEntry, Stored

_MOST_INDEX_BYTES: Final = 2**26
_AGAIN: Final = "make it again with 'fa-mobile pair', or copy it again from its source"


class Pair(NamedTuple):
    """One pair, read. DN are those of the sensor's file."""

    name: str
    scene: str
    noisy: npt.NDArray[np.uint16]
    """[H, W] RGGB."""
    truth: npt.NDArray[np.float32]
    """[H, W] RGGB, not rounded."""
    gain: float
    noise: NoiseParameters
    """Of the noisy frame, for the signal in 0..1."""
    black_level: tuple[float, float, float, float]
    """R, Gr, Gb, B order."""
    white_level: float
    cfa: CfaPattern = "RGGB"


class PairDataset:
    """The pairs of a folder; each is read, and checked by its hash, when it is asked for."""

    def __init__(self, folder: Path, index: Index) -> None:
        self.folder = folder
        self.index = index
        """Everything that is known of the pairs without their pictures."""

    def __len__(self) -> int:
        return len(self.index.pairs)

    def __getitem__(self, which: int) -> Pair:
        """Read a pair.

        Raises:
            UserError: when one of its files is missing, changed or not what the index says.
            IndexError: beyond the last.
        """
        return self._read(self.index.pairs[which])

    def __iter__(self) -> Iterator[Pair]:
        return (self._read(entry) for entry in self.index.pairs)

    def _read(self, entry: PairEntry) -> Pair:
        shape = entry.crop.height, entry.crop.width
        noisy = _read_tiff(self.folder, entry.noisy, shape, np.dtype(np.uint16))
        truth = _read_tiff(self.folder, entry.truth, shape, np.dtype(np.float32))
        if not np.isfinite(truth).all():
            raise UserError(f"{self.folder / entry.truth.path} holds NaN or infinity; {_AGAIN}")
        return Pair(
            entry.name, entry.scene, noisy, truth, entry.short.gain,
            NoiseParameters(entry.a, entry.b), entry.black_level, entry.white_level,
        )  # fmt: skip


def open_pairs(folder: Path) -> PairDataset:
    """Open a dataset that ``fa-mobile pair`` made; its pictures are read later, one by one.

    Raises:
        UserError: when the folder holds no index, a damaged one, one of another version, or one
            without a pair.
    """
    path = folder / INDEX_FILE
    if not path.is_file():
        raise UserError(
            f"{folder} has no {INDEX_FILE}; give a folder that 'fa-mobile pair' has written"
        )
    if path.stat().st_size > _MOST_INDEX_BYTES:
        raise UserError(f"{path} is larger than any index; {_AGAIN}")
    try:
        index = Index.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise UserError(f"{path}: {describe_validation(error)}; {_AGAIN}") from error
    except (OSError, ValueError, RecursionError) as error:  # not JSON, not UTF-8
        raise UserError(f"{path} cannot be read as JSON ({error}); {_AGAIN}") from error
    if not index.pairs:
        raise UserError(f"{folder} holds no pair: none was accepted; see 'rejected' in its index")
    return PairDataset(folder, index)


def write_tiff(path: Path, samples: npt.NDArray[Any]) -> None:
    """Write [H, W] samples as the dataset holds them."""
    tifffile.imwrite(path, samples, compression="zlib", photometric="minisblack", metadata=None)


def _read_tiff(
    folder: Path, stored: Stored, shape: tuple[int, int], dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """A page of one shape and type, asked of its tags before a sample is decoded."""
    path = folder / stored.path
    try:
        if file_sha256(path) != stored.sha256:
            raise UserError(f"{path} is not the file that the index was made with; {_AGAIN}")
        with tifffile.TiffFile(path) as tiff:
            page: Any = tiff.pages.first
            if page.shape != shape or page.dtype != dtype:
                raise UserError(
                    f"{path} holds {page.dtype} {page.shape}; the index says {dtype} {shape}; "
                    f"{_AGAIN}"
                )
            return np.asarray(page.asarray(), dtype)
    except UserError:
        raise
    except Exception as error:  # tifffile meets a damaged file with whatever Python raises
        raise UserError(
            f"{path} cannot be read ({type(error).__name__}: {error}); {_AGAIN}"
        ) from error
