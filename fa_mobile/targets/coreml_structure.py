"""What a Core ML package holds, read from its specification: no macOS needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fa_mobile.targets.base import ExportError
from fa_mobile.targets.coreml_program import quiet

_PRECISIONS = {10: "float16", 11: "float32"}
_ARRAY_TYPES = {65568: "float32", 65552: "float16", 131104: "int32", 65600: "float64"}


def check_structure(
    path: Path, *, functions: Sequence[str] = ("main",), conds: int | None = None
) -> dict[str, Any]:
    """Read a package and check that it is a denoiser.

    Args:
        path: the ``.mlpackage`` folder.
        functions: names that it must hold; each but ``select`` must hold convolutions.
        conds: how many ``cond`` operators it must hold in all; None asks nothing.

    Returns:
        ``functions``: names; ``inputs`` and ``outputs``: per function, name to (shape, dtype);
        ``operators``: counts by type, constants left out; ``conds``: their number;
        ``conv_precisions``: counts of "float16" and "float32"; ``precisions``: the same for every
        type of operator with a float result; ``weight_bytes``.

    Raises:
        ExportError: when it is no ML program, a function, output or convolution is missing, the
            number of ``cond`` is another, or a reciprocal with an epsilon is in it.
    """
    with quiet():
        import coremltools as ct

        try:
            spec = ct.utils.load_spec(str(path))
        except Exception as error:  # a damaged package fails in several ways
            raise ExportError(f"{path.name} is not a readable Core ML package: {error}") from error
    if spec.WhichOneof("Type") != "mlProgram":
        raise ExportError(f"{path.name} holds a {spec.WhichOneof('Type')}, not an ML program")
    found = {
        name: list(_operations(function)) for name, function in spec.mlProgram.functions.items()
    }
    operations = [op for ops in found.values() for op in ops]
    counts = Counter(op.type for op in operations if op.type != "const")
    precisions: dict[str, Counter[str]] = {}
    for op in operations:
        kind = _PRECISIONS.get(op.outputs[0].type.tensorType.dataType)
        if kind and op.type != "const":
            precisions.setdefault(op.type, Counter())[kind] += 1
    structure: dict[str, Any] = {
        "functions": tuple(sorted(found)),
        "inputs": _interfaces(spec, "input"),
        "outputs": _interfaces(spec, "output"),
        "operators": dict(sorted(counts.items())),
        "conds": counts["cond"],
        "conv_precisions": dict(precisions.get("conv", {})),
        "precisions": {name: dict(kinds) for name, kinds in sorted(precisions.items())},
        "weight_bytes": sum(item.stat().st_size for item in path.rglob("weight.bin")),
    }
    problems = [f"function {name} is missing" for name in functions if name not in found]
    problems += [
        f"function {name} holds no convolution"
        for name in functions
        if name in found and name != "select" and not any(op.type == "conv" for op in found[name])
    ]
    problems += [
        f"function {name} has no output denoised"
        for name, outputs in structure["outputs"].items()
        if name != "select" and "denoised" not in outputs
    ]
    if conds is not None and counts["cond"] != conds:
        problems.append(f"{counts['cond']} cond operators instead of {conds}")
    if counts["inverse"]:
        problems.append("an inverse operator, which adds 1e-4 to the noise it divides by")
    if problems:
        raise ExportError(f"{path.name}: {'; '.join(problems)}")
    return structure


def _operations(function: Any) -> Iterator[Any]:
    for block in function.block_specializations.values():
        yield from _block_operations(block)


def _block_operations(block: Any) -> Iterator[Any]:
    for operation in block.operations:
        yield operation
        for inner in operation.blocks:
            yield from _block_operations(inner)


def _interfaces(spec: Any, side: str) -> dict[str, dict[str, tuple[tuple[int, ...], str]]]:
    """Per function: feature name to (shape, dtype)."""
    described = {item.name: item for item in spec.description.functions} or {
        "main": spec.description
    }
    return {
        name: {
            feature.name: (
                tuple(feature.type.multiArrayType.shape),
                _ARRAY_TYPES.get(feature.type.multiArrayType.dataType, "unknown"),
            )
            for feature in getattr(item, side)
        }
        for name, item in described.items()
    }
