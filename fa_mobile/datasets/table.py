"""The one table of dataset formats: the command line, its checks and docs follow from it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fa_mobile.errors import UserError

if TYPE_CHECKING:
    from fa_mobile.datasets.sample import Dataset
    from fa_mobile.datasets.submission import Submission
    from fa_mobile.sensor import SensorProfile

_HERE: Final = "fa_mobile.datasets."


@dataclass(frozen=True)
class Format:
    """One format; its modules are imported when they are used, not before."""

    name: str
    title: str
    module: str
    opener: str
    holds: str
    """What the folder holds."""
    submission: str | None = None
    """The class that writes a submission, of a benchmark whose truth its server keeps."""

    @property
    def has_truth(self) -> bool:
        """Whether results can be computed here."""
        return self.submission is None

    def open(self, folder: Path, profile: SensorProfile | None = None) -> Dataset:
        """The dataset in ``folder``; ``profile`` says the noise where the dataset does not.

        Raises:
            UserError: when the folder does not hold this format.
        """
        if not folder.is_dir():
            raise UserError(f"{folder} is no folder; {self.name} needs one with {self.holds}")
        function: Callable[[Path, SensorProfile | None], Dataset]
        function = getattr(importlib.import_module(_HERE + self.module), self.opener)
        return function(folder, profile)

    def submit_to(self, folder: Path, method: str) -> Submission:
        """A writer into the (empty) ``folder``; only for formats with a submission."""
        if self.submission is None:
            raise ValueError(f"{self.name} has its truth in the folder: nothing is submitted")
        module = importlib.import_module(_HERE + "submission")
        made: Submission = getattr(module, self.submission)(folder, method)
        return made


FORMATS: Final = (
    Format("sidd", "SIDD, full frames", "sidd", "open_dataset",
           "scene folders NNNN_..., each with *_NOISY_RAW_010.MAT, *_GT_... and *_METADATA_..."),
    Format("sidd-validation", "SIDD, validation blocks", "sidd_blocks", "open_validation",
           "ValidationNoisyBlocksRaw.mat and ValidationGtBlocksRaw.mat"),
    Format("sidd-benchmark", "SIDD, benchmark blocks", "sidd_blocks", "open_benchmark",
           "BenchmarkNoisyBlocksRaw.mat, or SIDD_Benchmark_Data/ and BenchmarkBlocks32.mat",
           "SiddSubmission"),
    Format("sid", "SID, Sony test pairs", "sid", "open_dataset",
           "Sony_test_list.txt and the Sony/short and Sony/long of its paths"),
    Format("dnd", "DND, RAW track", "dnd", "open_dataset",
           "info.mat and images_raw/0001.mat .. 0050.mat", "DndSubmission"),
    Format("pmrid", "PMRID benchmark", "pmrid", "open_dataset",
           "benchmark.json and the dumps that it names"),
    Format("pairs", "pairs of fa-mobile pair", "pairs", "open_dataset",
           "what fa-mobile pair wrote"),
)  # fmt: skip
FORMAT_NAMES: Final = tuple(entry.name for entry in FORMATS)


def format_named(name: str) -> Format:
    """The format of that name.

    Raises:
        UserError: for an unknown one.
    """
    for entry in FORMATS:
        if entry.name == name:
            return entry
    raise UserError(f"format {name!r} was given; allowed are {', '.join(FORMAT_NAMES)}")
