"""Denoising a benchmark whose truth its server keeps, into what the server wants."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from pathlib import Path

from fa_mobile.datasets.sample import Dataset, Skipped
from fa_mobile.datasets.table import Format
from fa_mobile.errors import UserError
from fa_mobile.evaluation.signals import denoise_signal
from fa_mobile.evaluation.subjects import Subject
from fa_mobile.files import replace_folder
from fa_mobile.sensor import GainWarning


def submit(
    subject: Subject,
    dataset: Dataset,
    layout: Format,
    folder: Path,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Denoise every sample and write the submission; whole or not at all.

    Args:
        subject: is told each sample's noise.
        dataset: of a format with a submission.
        layout: that format.
        folder: takes the submission; one that exists is replaced.
        progress: called with (samples done, samples in all).

    Returns:
        How many crops were denoised.

    Raises:
        UserError: when a sample cannot be read or denoised, or the place cannot be written.
    """
    done = 0
    with replace_folder(folder) as partial, warnings.catch_warnings():
        warnings.simplefilter("ignore", GainWarning)
        written = layout.submit_to(partial, subject.name)
        for item in dataset:
            if isinstance(item, Skipped):
                raise UserError(
                    f"{item.name} cannot be read, and a submission with holes is refused by the "
                    f"server: {item.reason}"
                )
            begin = time.perf_counter()
            denoised = denoise_signal(subject, item.noisy, item.cfa, item.noise)
            written.add(item, denoised, time.perf_counter() - begin)
            done += 1
            if progress is not None:
                progress(done, len(dataset))
        written.finish()
    return done
