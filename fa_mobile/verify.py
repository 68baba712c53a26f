"""Replaying a bundle's golden vectors in its real runtime."""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from fa_mobile.bundle import read_bundle, read_golden
from fa_mobile.golden_table import replay_table
from fa_mobile.manifest import GoldenVector, Manifest
from fa_mobile.metrics import psnr
from fa_mobile.noise import NoiseParameters
from fa_mobile.runtimes.session import Bundle, load_model
from fa_mobile.sensor import GainWarning

Array = npt.NDArray[np.float32]
Status = Literal["verified", "failed", "exported, not run"]


@dataclass(frozen=True)
class VectorResult:
    """One golden vector: how far the artifact is from the float reference and from the truth."""

    name: str
    gain: float | None
    a: float
    member: int
    max_abs_dn: float
    noise_ratio: float
    psnr_vs_float_db: float
    psnr_db: float
    """Of the artifact against the truth."""
    float_psnr_db: float
    """Of the float reference against the truth."""
    member_agrees: bool

    @property
    def psnr_loss_db(self) -> float:
        """What the artifact loses against float on this vector."""
        return self.float_psnr_db - self.psnr_db


@dataclass(frozen=True)
class VerifyReport:
    """What a verification found; ``problems`` is empty when the bundle passed or did not run."""

    bundle: str
    status: Status
    problems: tuple[str, ...]
    vectors: tuple[VectorResult, ...]

    @property
    def psnr_vs_float_db(self) -> float | None:
        """Worst PSNR against the float reference over the vectors, in dB."""
        return min((v.psnr_vs_float_db for v in self.vectors), default=None)

    @property
    def psnr_loss_db(self) -> float | None:
        """PSNR lost against ground truth in dB; None when nothing was run.

        Squared errors are pooled over the vectors, each over its shot noise, so that no gain
        outweighs the others.
        """
        if not self.vectors:
            return None

        def pooled(scores: list[float]) -> float:
            noise = [vector.a for vector in self.vectors]
            return sum(10 ** (-db / 10) / a for db, a in zip(scores, noise, strict=True))

        artifact = pooled([v.psnr_db for v in self.vectors])
        reference = pooled([v.float_psnr_db for v in self.vectors])
        return float(10 * np.log10(artifact / reference))

    def to_dict(self) -> dict[str, object]:
        """For JSON."""
        return {
            **asdict(self),
            "psnr_vs_float_db": self.psnr_vs_float_db,
            "psnr_loss_db": self.psnr_loss_db,
        }


def verify_bundle(folder: Path) -> VerifyReport:
    """Check hashes, schema and golden table, then run every golden vector in the real runtime.

    Raises:
        UserError: when the bundle is damaged, its schema unknown, or its runtime not installed.
    """
    return verify_artifact(folder, read_bundle(folder))


def verify_artifact(folder: Path, manifest: Manifest) -> VerifyReport:
    """:func:`verify_bundle` with the manifest already read: an export verifies before it sums.

    Raises:
        UserError: when the golden table is missing or wrong, or the runtime is not installed.
    """
    replay_table(folder, manifest)
    if manifest.target == "coreml":
        from fa_mobile.targets.coreml import check_packages

        check_packages(folder, manifest.network.members)
        return VerifyReport(manifest.name, "exported, not run", (), ())
    return replay_all(Bundle(folder, manifest, load_model(folder, manifest)))


def replay_all(bundle: Bundle) -> VerifyReport:
    """Every golden vector through a bundle, wherever its model runs, judged by the manifest."""
    folder, manifest = bundle.folder, bundle.manifest
    references = {v.name: read_golden(folder, v)[1] for v in manifest.golden}
    results = tuple(_replay(bundle, vector, references) for vector in manifest.golden)
    report = VerifyReport(manifest.name, "verified", (), results)
    problems = tuple(_problems(report, manifest))
    return replace(report, status="failed", problems=problems) if problems else report


def _replay(bundle: Bundle, vector: GoldenVector, references: dict[str, Array]) -> VectorResult:
    m = bundle.manifest
    raw, reference, truth = read_golden(bundle.folder, vector)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GainWarning)  # golden gains lie beyond both ends on purpose
        output = bundle(raw, gain=vector.gain, noise=NoiseParameters(vector.a, vector.b))
    span = max(m.sensor.span)
    difference = (output - reference).astype(np.float64)
    noise = np.sqrt(np.mean((raw - truth).astype(np.float64) ** 2))
    return VectorResult(
        name=vector.name,
        gain=vector.gain,
        a=vector.a,
        member=vector.member,
        max_abs_dn=float(np.abs(difference).max()),
        noise_ratio=float(np.sqrt(np.mean(difference**2)) / noise),
        psnr_vs_float_db=psnr(output, reference, data_range=span),
        psnr_db=psnr(output, truth, data_range=span),
        float_psnr_db=psnr(reference, truth, data_range=span),
        member_agrees=_member_agrees(output, vector, m, references),
    )


def _member_agrees(
    output: Array, vector: GoldenVector, manifest: Manifest, references: dict[str, Array]
) -> bool:
    """Of the references of the same input, is the nearest one the right member's?

    Vectors on either side of an edge share their input, so that a wrong selection shows as an
    output that equals the other member's reference.
    """
    rivals = [v for v in manifest.golden if v.raw == vector.raw]
    nearest = min(rivals, key=lambda v: float(np.mean((output - references[v.name]) ** 2)))
    return nearest.member == vector.member


def _problems(report: VerifyReport, manifest: Manifest) -> list[str]:
    limits = manifest.tolerance
    problems = []
    for result in report.vectors:
        where = f"vector {result.name} (a {result.a:.3g}, member {result.member})"
        if not result.member_agrees:
            problems.append(f"{where}: another member answered")
        if not np.isfinite(result.max_abs_dn):
            problems.append(f"{where}: the output is not finite")
        elif limits.max_abs_dn is not None and result.max_abs_dn > limits.max_abs_dn:
            problems.append(
                f"{where}: off by {result.max_abs_dn:.4g} DN, allowed {limits.max_abs_dn:g}"
            )
        if result.noise_ratio > limits.max_noise_ratio:
            problems.append(
                f"{where}: differs by {result.noise_ratio:.3g} of the noise, "
                f"allowed {limits.max_noise_ratio:g}"
            )
    loss = report.psnr_loss_db
    if loss is not None and loss > limits.max_psnr_loss_db:
        problems.append(
            f"{loss:.3f} dB are lost against ground truth, allowed {limits.max_psnr_loss_db:g}"
        )
    return problems
