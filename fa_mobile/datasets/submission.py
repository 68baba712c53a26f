"""What benchmarks want to be sent: denoised blocks in MATLAB files of their own layout."""

from __future__ import annotations

import base64
import csv
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.io import savemat

from fa_mobile.datasets import dnd, sidd_blocks
from fa_mobile.datasets.sample import Sample, Signal
from fa_mobile.datasets.sidd_scenes import BENCHMARK_SCENES
from fa_mobile.errors import UserError

_MEGAPIXEL: Final = 1024 * 1024
"""As SIDD's own program counts it."""


class Submission(ABC):
    """Collects denoised samples in ``folder``; :meth:`finish` completes it."""

    def __init__(self, folder: Path, method: str) -> None:
        self.folder = folder
        self.method = method
        self._waiting = self.places()
        self._seconds = 0.0
        self._pixels = 0

    @staticmethod
    @abstractmethod
    def places() -> set[tuple[int, int]]:
        """(image, crop) of every sample that belongs to it."""

    def add(self, sample: Sample, denoised: Signal, seconds: float) -> None:
        """Take a denoised 0..1 signal in the sample's own pattern, denoised in ``seconds``.

        Raises:
            UserError: for a place that the submission does not have, or has already.
        """
        if sample.place not in self._waiting:
            raise UserError(f"{sample.name} has no place left in the submission; check the dataset")
        self._waiting.remove(sample.place)
        self._seconds += seconds
        self._pixels += denoised.size
        self._keep(sample.place, np.clip(denoised, 0, 1, dtype=np.float32))

    def finish(self) -> None:
        """Write what is left to write.

        Raises:
            UserError: when samples are missing: servers refuse such a submission.
        """
        if self._waiting:
            image, crop = min(self._waiting)
            raise UserError(
                f"{len(self._waiting)} of {len(self.places())} denoised crops are missing (first: "
                f"image {image + 1}, crop {crop + 1}), which the server would refuse; nothing was "
                "written: complete the dataset first"
            )
        self._complete()

    @abstractmethod
    def _keep(self, place: tuple[int, int], denoised: Signal) -> None: ...

    @abstractmethod
    def _complete(self) -> None: ...


class DndSubmission(Submission):
    """DND's RAW track, as the authors' submission kit 1.1 lays it out.

    ``0001_01.mat`` .. ``0050_20.mat`` hold ``Idenoised_crop``, single [H, W]; the folder
    ``bundled``, which is what to upload, holds ``0001.mat`` .. ``0050.mat`` with the cell array
    ``Idenoised`` [1, 20], ``israw`` (true) and ``eval_version`` ("1.0"). MATLAB 5 files, like those
    of the kit's Python program.
    """

    @staticmethod
    def places() -> set[tuple[int, int]]:
        return {(image, crop) for image in range(dnd.IMAGES) for crop in range(dnd.CROPS)}

    def _keep(self, place: tuple[int, int], denoised: Signal) -> None:
        image, crop = place
        savemat(self.folder / f"{image + 1:04d}_{crop + 1:02d}.mat", {"Idenoised_crop": denoised})

    def _complete(self) -> None:
        from fa_mobile.datasets.matlab import open_array

        bundled = self.folder / "bundled"
        bundled.mkdir()
        for image in range(1, dnd.IMAGES + 1):
            cells: Any = np.empty((1, dnd.CROPS), object)
            for crop in range(dnd.CROPS):
                path = self.folder / f"{image:04d}_{crop + 1:02d}.mat"
                with open_array(path, "Idenoised_crop", 2) as array:
                    cells[0, crop] = array[:, :]
            savemat(
                bundled / f"{image:04d}.mat",
                {"Idenoised": cells, "israw": True, "eval_version": "1.0"},
            )


class SiddSubmission(Submission):
    """SIDD's benchmark in RAW, in both ways that its authors describe.

    ``SubmitRaw.mat``, for their own server (code v1.2): ``DenoisedBlocksRaw``, cell array [40, 32]
    of single [256, 256]; ``TimeMPRaw``, seconds per 1024 x 1024 pixels; ``OptionalData``, texts
    about the method. A MATLAB 5 file; theirs is 7.3, which MATLAB loads alike.

    ``SubmitRaw.csv``, for the Kaggle competitions that stand in for the server (their
    sidd_kaggle_submit): columns ``ID`` (0 .. 1279, scene by scene) and ``BLOCK``, the rows of a
    block as little-endian float32 in base64.
    """

    def __init__(self, folder: Path, method: str) -> None:
        super().__init__(folder, method)
        self._cells: Any = np.empty((len(BENCHMARK_SCENES), sidd_blocks.BLOCKS), object)

    @staticmethod
    def places() -> set[tuple[int, int]]:
        scenes, blocks = range(len(BENCHMARK_SCENES)), range(sidd_blocks.BLOCKS)
        return {(scene, block) for scene in scenes for block in blocks}

    def _keep(self, place: tuple[int, int], denoised: Signal) -> None:
        self._cells[place] = denoised

    def _complete(self) -> None:
        about = {"MethodName": self.method, "Authors": "", "PaperTitle": "", "Venue": ""}
        savemat(
            self.folder / "SubmitRaw.mat",
            {
                "DenoisedBlocksRaw": self._cells,
                "TimeMPRaw": self._seconds * _MEGAPIXEL / self._pixels,
                "OptionalData": about,
            },
            do_compression=True,
        )
        with (self.folder / "SubmitRaw.csv").open("w", encoding="ascii", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow(("ID", "BLOCK"))
            for number, block in enumerate(self._cells.ravel()):
                rows.writerow((number, base64.b64encode(block.astype("<f4").tobytes()).decode()))
