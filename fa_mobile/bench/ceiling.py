"""The machine's own ceiling: the runtime's best dense convolution, in int8 and in float.

Chains of equal convolutions, made for nothing but speed, go through the same export and runtime
as a bundle and are timed in the same rounds. The fastest is the most that this runtime gets out
of this machine, and a better yardstick than an instruction set's arithmetic peak.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from fa_mobile.bench.chains import CHAINS, Chain
from fa_mobile.bench.jobs import ChainSubject, Report
from fa_mobile.bench.schema import Ceiling
from fa_mobile.errors import UserError
from fa_mobile.files import replace_file

PRECISIONS: Final = ("int8", "fp32")
_SUFFIX: Final = {"onnx": "onnx", "executorch": "pte"}
_PACKAGE: Final = {"onnx": "onnxruntime", "executorch": "executorch"}


def chain_bytes(target: str, precision: str, chain: Chain) -> bytes:
    """One chain as the target's model file: float32 [1, channels, side, side] in and out.

    Raises:
        UserError: for a target without ceilings here, or when what exports it is not installed.
    """
    try:
        if target == "onnx":
            from fa_mobile.bench import ceiling_onnx

            return ceiling_onnx.chain_model(chain, precision)
        if target == "executorch":
            from fa_mobile.bench import ceiling_executorch

            return ceiling_executorch.chain_program(chain, precision)
    except ImportError as error:
        raise UserError(
            f"the ceiling's convolutions need the exporters ({error}); "
            "pip install 'fa-mobile[export]', or give --no-ceiling"
        ) from error
    raise UserError(
        f"a ceiling of {target} was asked for; allowed are {', '.join(_SUFFIX)}, which run here"
    )


def chain_subjects(
    targets: Iterable[str],
    folder: Path,
    report: Report,
    chains: Sequence[Chain] = CHAINS,
) -> dict[str, tuple[ChainSubject, str, Chain]]:
    """Every chain of every target and precision, exported where ``folder`` has it not yet.

    Returns:
        By key: what to time, its precision and its size.

    Raises:
        UserError: see :func:`chain_bytes`.
    """
    found = {}
    for target in targets:
        version = importlib.metadata.version(_PACKAGE[target]) if target in _PACKAGE else ""
        for precision in PRECISIONS:
            for chain in chains:
                key = f"{target}-{precision}-{chain.name}"
                path = folder / f"{key}-{version}.{_SUFFIX.get(target, '')}"
                if not path.is_file():
                    report(f"exporting {key}")
                    data = chain_bytes(target, precision, chain)
                    with replace_file(path) as partial:
                        partial.write_bytes(data)
                subject = ChainSubject(
                    key=key, file=str(path), target=target,
                    channels=chain.channels, side=chain.side,
                )  # fmt: skip
                found[key] = subject, precision, chain
    return found


def ceilings(
    subjects: Mapping[str, tuple[ChainSubject, str, Chain]],
    samples: Mapping[str, Sequence[float]],
) -> tuple[Ceiling, ...]:
    """The timed chains as the report holds them; ``samples`` are milliseconds by key."""
    return tuple(
        Ceiling.model_validate(
            {
                "target": subject.target,
                "precision": precision,
                "kernel": chain.kernel,
                "channels": chain.channels,
                "side": chain.side,
                "gmacs": chain.gmacs,
                "samples_ms": tuple(samples[key]),
                "gmacs_per_s": chain.gmacs / min(samples[key]) * 1000,
            }
        )
        for key, (subject, precision, chain) in subjects.items()
    )
