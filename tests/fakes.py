"""A bundle whose model is a function: what runs around the artifact, tested without an export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fa_mobile.bundle import write_golden, write_sums
from fa_mobile.golden import selection_table
from fa_mobile.golden_table import write_table
from fa_mobile.manifest import (
    MANIFEST_FILE,
    GoldenVector,
    Manifest,
    NetworkFacts,
    TensorSpec,
    Tolerance,
)
from fa_mobile.nsma import new_spec
from fa_mobile.runtimes.session import Bundle
from fa_mobile.sensor import load_profile

Array = npt.NDArray[np.float32]


class FunctionModel:
    """Records the shapes and scalars that it is run with."""

    def __init__(self, function: Callable[..., Array]) -> None:
        self.function = function
        self.calls: list[tuple[tuple[int, ...], list[float]]] = []

    def run(self, raw: Array, *scalars: Array) -> Array:
        assert raw.dtype == np.float32 and raw.flags["C_CONTIGUOUS"]
        self.calls.append((raw.shape, [float(s[0]) for s in scalars]))
        return self.function(raw, *scalars)


def fake_manifest(**changes: object) -> Manifest:
    spec = new_spec("fake", "paper", load_profile("imx258"), 4)
    side: tuple[int | str, ...] = (1, 1, "H", "W")
    fields: dict[str, object] = {
        "name": "imx258-onnx-fp32",
        "target": "onnx",
        "precision": "fp32",
        "selector": "gain",
        "files": ("model.onnx",),
        "call": {},
        "inputs": (
            TensorSpec(name="raw", dtype="float32", shape=side, unit="DN"),
            TensorSpec(name="gain", dtype="float32", shape=(1,), unit="1 = base gain"),
        ),
        "outputs": (TensorSpec(name="denoised", dtype="float32", shape=side, unit="DN"),),
        "sensor": spec.profile,
        "edges": spec.edges,
        "stride": 8,
        "halo": 16,
        "tile": (64, 64),
        "min_side": 16,
        "fixed_shape": False,
        "network": NetworkFacts(
            name="paper", members=4, parameters=1, gmacs_per_mp=1, executed_gmacs_per_mp=1
        ),
        "model_bytes": 1,
        "float_islands": (),
        "delegated": {},
        "undelegated": {},
        "planned_memory_bytes": None,
        "tolerance": Tolerance(max_abs_dn=0.05, max_noise_ratio=0.001, max_psnr_loss_db=0.01),
        "golden": (),
        "selection": selection_table(spec, str(changes.get("selector", "gain"))),
        "checkpoint": "fake",
        "checkpoint_sha256": "0" * 64,
        "tool_versions": {},
    }
    return Manifest.model_validate(fields | changes)


def fake_bundle(function: Callable[..., Array], **changes: object) -> tuple[Bundle, FunctionModel]:
    model = FunctionModel(function)
    return Bundle(Path("fake"), fake_manifest(**changes), model), model


def write_fake_bundle(folder: Path, **changes: object) -> Path:
    """A bundle folder that is whole but for a model that no runtime would load."""
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(b"no model")
    raw = np.full((16, 16), 500, np.uint16)
    write_golden(folder, "golden/00.raw.u16", raw)
    for name in ("golden/00.0.reference.f32", "golden/00.truth.f32"):
        write_golden(folder, name, raw.astype(np.float32))
    vector = GoldenVector(
        name="00.0", height=16, width=16, gain=1.0, a=2.35e-4, b=6e-7, member=0,
        raw="golden/00.raw.u16", reference="golden/00.0.reference.f32",
        truth="golden/00.truth.f32",
    )  # fmt: skip
    manifest = fake_manifest(golden=(vector,), **changes)
    (folder / MANIFEST_FILE).write_text(manifest.model_dump_json(indent=2))
    write_table(folder, manifest)
    write_sums(folder)
    return folder
