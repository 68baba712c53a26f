"""From a recipe to verified bundles."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, get_args

from fa_mobile.bundle import write_sums
from fa_mobile.counting import count, mosaic_halo
from fa_mobile.denoiser import RawDenoiser
from fa_mobile.errors import UserError
from fa_mobile.files import replace_folder
from fa_mobile.folding import FoldPlan, fold
from fa_mobile.golden import selection_table, write_golden_vectors
from fa_mobile.golden_table import write_table
from fa_mobile.manifest import MANIFEST_FILE, Manifest, NetworkFacts, TensorSpec, Tolerance
from fa_mobile.nsma import ArraySpec, NoiseSubrangeModelArray, load_checkpoint
from fa_mobile.patches import Patches, clean_patches
from fa_mobile.recipe import Recipe, TargetRequest, checkpoint_folder, load_recipe
from fa_mobile.sensor import SensorProfile, load_profile
from fa_mobile.targets.base import Exported, ExportError, ExportJob, Precision
from fa_mobile.targets.samples import calibration_samples
from fa_mobile.targets.table import Target, target_named
from fa_mobile.verify import VerifyReport, verify_artifact

TOLERANCES: Final[dict[str, Tolerance]] = {
    "fp32": Tolerance(max_abs_dn=0.05, max_noise_ratio=0.001, max_psnr_loss_db=0.01),
    "fp16": Tolerance(max_abs_dn=8, max_noise_ratio=0.05, max_psnr_loss_db=0.05),
    "int8": Tolerance(max_abs_dn=None, max_noise_ratio=0.25, max_psnr_loss_db=0.25),
}
"""fp32: within a twentieth of a DN. int8: within 0.25 dB of quality in all; a single vector may
differ by a quarter of its noise, since in the shadows at base gain the noise is below one DN."""

_UNITS: Final = {
    "raw": "DN",
    "denoised": "DN",
    "gain": "1 = base gain",
    "a": "variance per signal, 0..1 signal",
    "b": "variance, 0..1 signal",
}
_PACKAGES: Final = {
    "executorch": ("torch", "torchao", "executorch"),
    "onnx": ("torch", "onnx", "onnxscript", "onnxruntime"),
    "coreml": ("torch", "coremltools"),
}

Report = Callable[[str], None]


@dataclass(frozen=True)
class BundleResult:
    """One bundle that an export made, with what its verification found."""

    folder: Path
    manifest: Manifest
    verification: VerifyReport


def export_recipe(
    path: Path,
    report: Report,
    output: Path | None = None,
    only: Sequence[str] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
    tile: tuple[int, int] | None = None,
    folds: FoldPlan | None = None,
    tuned: Mapping[tuple[str, str], FoldPlan] | None = None,
    all_int8: bool = False,
) -> list[BundleResult]:
    """Export and verify everything that a recipe asks for.

    Args:
        path: of the recipe.
        report: receives one line per step.
        output: folder for the bundles; None takes the recipe's.
        only: the recipe's targets to export, see :func:`wanted_targets`; None takes all.
        progress: of a long step, called with (done, in all).
        tile: (rows, columns) in place of the recipe's.
        folds, all_int8: for comparisons, see :class:`fa_mobile.targets.base.ExportJob`.
        tuned: plans found on this machine by (target, precision), in place of the table's.

    Raises:
        UserError: for a wrong recipe, checkpoint or sensor, or an unwritable folder.
        ExportError: when an artifact could not be made, or did not match in its real runtime;
            bundles that were finished before stay, of that one nothing is left.
    """
    recipe = load_recipe(path, tile)
    requests = wanted_targets(recipe, only)
    checkpoint = checkpoint_folder(recipe, path)
    array = load_checkpoint(checkpoint)
    profile = load_profile(_sensor_name(recipe, path))
    array.spec = retargeted(array.spec, profile)
    patches = clean_patches(path.parent / recipe.calibration if recipe.calibration else None)
    make = partial(_export_one, progress=progress, all_int8=all_int8)
    plans = tuned or {}
    return [
        make(
            recipe,
            target_named(request.name),
            precision,
            array,
            patches,
            report,
            output,
            folds=folds or plans.get((request.name, precision)),
        )
        for request in requests
        for precision in get_args(Precision)
        if precision in request.precisions
    ]


def retargeted(spec: ArraySpec, profile: SensorProfile) -> ArraySpec:
    """The specification of an array for a sensor, which may be another than it was trained for.

    Edges and anchors stay: they are noises, and a member serves the noise that it was trained for,
    at whatever gain a sensor has it. For another sensor the name, which goes into the manifest,
    says so.
    """
    name = spec.name
    if profile.name != spec.profile.name:
        name = f"{name} (trained for {spec.profile.name})"
    return spec.model_copy(update={"profile": profile, "name": name})


def wanted_targets(recipe: Recipe, only: Sequence[str] | None) -> list[TargetRequest]:
    """Those of a recipe's targets that ``only`` names: "onnx", or "onnx-int8" (None: all).

    Raises:
        UserError: for a name that the recipe does not have.
    """
    if not only:
        return list(recipe.target)
    single = [
        TargetRequest(name=request.name, precisions=(precision,))
        for request in recipe.target
        for precision in request.precisions
    ]
    names = {f"{one.name}-{one.precisions[0]}" for one in single}
    known = [request.name for request in recipe.target]
    if unknown := [name for name in only if name not in {*names, *known}]:
        raise UserError(
            f"target {', '.join(unknown)} was asked for; this recipe has {', '.join(known)}, each "
            f"also with a precision ({', '.join(sorted(names))})"
        )
    return [one for one in single if {one.name, f"{one.name}-{one.precisions[0]}"} & set(only)]


def _sensor_name(recipe: Recipe, path: Path) -> str:
    beside = path.parent / recipe.sensor
    return str(beside) if beside.is_file() else recipe.sensor


def _export_one(
    recipe: Recipe,
    target: Target,
    precision: Precision,
    array: NoiseSubrangeModelArray,
    patches: Patches,
    report: Report,
    output: Path | None,
    *,
    progress: Callable[[int, int], None] | None,
    folds: FoldPlan | None,
    all_int8: bool,
) -> BundleResult:
    name = f"{array.spec.profile.name}-{target.name}-{precision}"
    samples = calibration_samples(patches, array.spec) if precision == "int8" else []
    destination = (output or Path(recipe.output)) / name
    with replace_folder(destination) as unfinished:
        job = ExportJob(
            array=array,
            precision=precision,
            selector=recipe.selector,
            tile=recipe.tile,
            calibration=samples,
            folder=unfinished,
            report=lambda line: report(f"{name}: {line}"),
            progress=progress,
            folds=folds,
            all_int8=all_int8,
        )
        exported = target.exporter()(job)
        report(f"{name}: golden vectors")
        manifest = _manifest(name, target, job, exported, patches)
        text = manifest.model_dump_json(indent=2) + "\n"
        (unfinished / MANIFEST_FILE).write_text(text, encoding="utf-8")
        write_table(unfinished, manifest)
        report(f"{name}: verifying")
        verification = verify_artifact(unfinished, manifest)
        if verification.status == "failed":
            raise ExportError(f"{name} did not match: {'; '.join(verification.problems)}")
        for cache in unfinished.rglob("__pycache__"):
            shutil.rmtree(cache)
        write_sums(unfinished)
    return BundleResult(destination, manifest, verification)


def _manifest(
    name: str, target: Target, job: ExportJob, exported: Exported, patches: Patches
) -> Manifest:
    denoiser = RawDenoiser(job.array).eval()
    spec, stride = job.array.spec, denoiser.stride
    network = job.array.networks[0]
    nominal, executed = count(network), count(fold(network, exported.fold_plan))
    sides: tuple[int | str, int | str] = job.sides if exported.fixed_shape else ("H", "W")
    min_side = 2 * stride
    tensors = [
        TensorSpec(name=name, dtype="float32", shape=shape, unit=_UNITS[name])
        for name in (*exported.inputs, "denoised")
        for shape in [(1, 1, *sides) if _UNITS[name] == "DN" else (1,)]
    ]
    golden = write_golden_vectors(
        denoiser,
        patches,
        job.folder,
        selector=job.selector,
        minimum=job.sides if exported.fixed_shape else (min_side, min_side),
    )
    return Manifest.model_validate(
        {
            "name": name,
            "target": target.name,
            "precision": job.precision,
            "selector": job.selector,
            "files": exported.files,
            "call": exported.notes,
            "inputs": tensors[:-1],
            "outputs": tensors[-1:],
            "sensor": spec.profile,
            "edges": spec.edges,
            "stride": stride,
            "halo": mosaic_halo(network),
            "tile": job.sides,
            "min_side": min_side,
            "fixed_shape": exported.fixed_shape,
            "network": NetworkFacts(
                name=spec.network,
                members=spec.members,
                parameters=nominal.parameters,
                gmacs_per_mp=nominal.gmacs_per_mp,
                executed_gmacs_per_mp=executed.gmacs_per_mp,
            ),
            "model_bytes": sum(_size(job.folder / file) for file in exported.files),
            "float_islands": exported.float_islands,
            "delegated": exported.delegated,
            "undelegated": exported.undelegated,
            "planned_memory_bytes": exported.planned_memory_bytes,
            "tolerance": TOLERANCES[job.precision],
            "golden": golden,
            "selection": selection_table(spec, job.selector),
            "checkpoint": spec.name,
            "checkpoint_sha256": spec.weights_sha256,
            "tool_versions": tool_versions(target.name),
        }
    )


def _size(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(part.stat().st_size for part in path.rglob("*") if part.is_file())


def tool_versions(target: str) -> dict[str, str]:
    """Versions of what made an artifact for ``target``."""
    versions = {name: importlib.metadata.version(name) for name in _PACKAGES[target]}
    return {"python": platform.python_version(), **versions}
