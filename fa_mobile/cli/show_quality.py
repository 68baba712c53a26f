"""The tables of ``fa-mobile evaluate``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fa_mobile.cli import show

if TYPE_CHECKING:
    from fa_mobile.evaluation.edges import EdgeStep
    from fa_mobile.evaluation.flat import Flatness, Patch
    from fa_mobile.evaluation.off_profile import Corner
    from fa_mobile.evaluation.quality import Quality, SubjectScores, Values


def quality_tables(result: Quality) -> None:
    """A table for each measure: gains downwards, noisy and the subjects across."""
    plural = "" if result.photos == 1 else "s"
    about = f"{result.photos} photo{plural}, synthetic noise{noise_note(result.noise_scale)}"
    columns = ("gain", "noisy", *[subject.subject for subject in result.subjects])
    single = len(result.subjects) == 1
    for name, measure in result.measures.items():
        rows = []
        for label, pairs in _by_gain(result.subjects):
            values = [pairs[0][0][name], *[denoised[name] for _, denoised in pairs]]
            cells = [f"{value:.{measure.digits}f}" for value in values]
            if single:
                cells.append(f"{values[1] - values[0]:+.{measure.digits}f}")
            rows.append([label, *cells])
        across = (*columns, "difference") if single else columns
        show.table(f"{measure.title} over {about}", across, rows)


def _by_gain(
    subjects: Sequence[SubjectScores],
) -> Iterator[tuple[str, list[tuple[Values, Values]]]]:
    """(gain, (noisy, denoised) of each subject), and the means last."""
    for scores in zip(*[subject.scores for subject in subjects], strict=True):
        yield f"{scores[0].gain:g}", [(score.noisy, score.denoised) for score in scores]
    yield "mean", [subject.mean() for subject in subjects]


def off_profile_table(name: str, corners: Sequence[Corner], photos: int) -> None:
    """What each wrong profile costs: corners downwards, gains across."""
    gains = [f"{gain:g}" for gain, _ in corners[0].lost_db()]
    rows = [
        [f"{c.scale.a:g} x a, {c.scale.b:g} x b", *[f"{lost:+.3f}" for _, lost in c.lost_db()]]
        for c in corners
    ]
    show.table(
        f"{name}: dB lost to a wrong profile, by gain, {photos} photos, synthetic noise",
        ("captures have", *gains), rows,
    )  # fmt: skip


def edges_table(name: str, steps: Sequence[EdgeStep], photos: int) -> None:
    """The step of the quality across each edge."""
    rows = [
        [f"{s.gain:.2f}", f"{s.below_db:.3f}", f"{s.above_db:.3f}", f"{s.step_db:+.3f}"]
        for s in steps
    ]
    show.table(
        f"{name}: RAW PSNR in dB of the same captures on either side of each edge, {photos} "
        "photos, synthetic noise",
        ("edge at gain", "member below", "member above", "step"), rows,
    )  # fmt: skip


def flat_tables(results: Sequence[Flatness], noise_scale: tuple[float, float]) -> None:
    """A table for each subject: gains and grays downwards, Bayer channels across."""
    from fa_mobile.bayer import PACKED_CHANNELS
    from fa_mobile.evaluation.flat import BOUND

    for result in results:
        title = (
            f"{result.subject}: error of the mean on flat gray in %, ± two standard errors\n"
            f"(synthetic noise{noise_note(noise_scale)}; clipping: of the capture itself, the "
            "worst channel)"
        )
        columns = ("gain", "gray", *PACKED_CHANNELS, "clipping", f"{100 * BOUND:g} %")
        show.table(title, columns, [_row(patch) for patch in result.patches])


def _row(patch: Patch) -> list[str]:
    verdicts = [channel.verdict for channel in patch.channels]
    worst = next((v for v in ("beyond", "undecided") if v in verdicts), "within")
    clipping = max((channel.clipping for channel in patch.channels), key=abs)
    return [
        f"{patch.gain:g}",
        f"{100 * patch.level:g} %",
        *[f"{100 * c.error:+.3f} ± {200 * c.standard_error:.3f}" for c in patch.channels],
        f"{100 * clipping:+.3f}",
        worst,
    ]


def noise_note(scale: tuple[float, float]) -> str:
    """What a title says of noise that is not the profile's."""
    a, b = scale
    return "" if a == b == 1 else f" with {a:g} x a and {b:g} x b of the profile"
