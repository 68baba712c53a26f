"""What a benchmark is asked to do, and the bundles that it is asked to do it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fa_mobile.bench.peers import (
    PEER_NAMES,
    PEERS_FOLDER,
    has_random_weights,
    parse_peer,
    peer_bundle,
)
from fa_mobile.bundle import read_bundle
from fa_mobile.errors import UserError
from fa_mobile.manifest import Manifest
from fa_mobile.targets.table import TARGETS

Size = tuple[int, int]
"""(width, height) of a frame."""
FRAME: Final[Size] = (4208, 3120)
"""The Sony IMX258's full frame: 13.1 MP."""
_RUNS_HERE: Final = frozenset(target.name for target in TARGETS if target.runs_here)


@dataclass(frozen=True)
class Request:
    """One run of the benchmark.

    ``bundles`` and ``versus`` are folders or names of peers; no ``sizes`` are one tile of the
    first bundle. ``seconds`` above 0 makes the run a sustained one. ``arm`` are CPUs of QEMU's on
    which instructions are counted too.
    """

    bundles: tuple[str, ...]
    versus: str | None = None
    sizes: tuple[Size, ...] = ()
    threads: int = 0
    rounds: int = 15
    warmup: int = 1
    seconds: float = 0.0
    gain: float = 16.0
    ceilings: bool = True
    peers: Path = PEERS_FOLDER
    arm: tuple[str, ...] = ()


@dataclass(frozen=True)
class Candidate:
    """A bundle that will be timed; ``label`` is its name in the report."""

    label: str
    folder: Path
    manifest: Manifest

    @property
    def random(self) -> bool:
        """Whether its weights are."""
        return has_random_weights(self.manifest)


def resolve(request: Request, report: Callable[[str], None]) -> tuple[list[Candidate], str | None]:
    """The bundles in the order given, the peer last, and the peer's label.

    Raises:
        UserError: for what is neither a bundle nor a peer, for a damaged bundle, and for one
            that does not run on this machine.
    """
    names = list(request.bundles)
    first = next((Path(name) for name in names if parse_peer(name) is None), None)
    if first is None:
        raise UserError(
            f"{', '.join(names) or 'nothing'} was given; at least one folder of a bundle is "
            f"needed, beside which the peers {', '.join(PEER_NAMES)} are allowed"
        )
    shape = read_bundle(first)
    folders = [_folder(name, shape, request.peers, report) for name in names]
    versus = None
    if request.versus is not None:
        versus = _folder(request.versus, shape, request.peers, report)
    every = list(dict.fromkeys([*folders, *([] if versus is None else [versus])]))
    manifests = [read_bundle(folder) for folder in every]
    for manifest in manifests:
        if manifest.target not in _RUNS_HERE:
            raise UserError(
                f"bundle {manifest.name} was given; {manifest.target} does not run on this "
                f"machine, allowed are {', '.join(sorted(_RUNS_HERE))}: time it on its device"
            )
    labels = _labels(every, manifests)
    candidates = [Candidate(*three) for three in zip(labels, every, manifests, strict=True)]
    return candidates, None if versus is None else labels[every.index(versus)]


def _folder(name: str, shape: Manifest, peers: Path, report: Callable[[str], None]) -> Path:
    """The bundle's folder; a peer takes target and, unless named, precision of ``shape``."""
    if Path(name).is_dir():
        return Path(name)
    peer = parse_peer(name)
    if peer is None:
        raise UserError(
            f"{name} is neither the folder of a bundle nor a peer; allowed peers are "
            f"{', '.join(PEER_NAMES)}, each also with a precision or target and precision "
            "(plain-onnx-fp32)"
        )
    target, precision = peer.target or shape.target, peer.precision or shape.precision
    return peer_bundle(peer.name, target, precision, peers, shape.tile, report)


def _labels(folders: Sequence[Path], manifests: Sequence[Manifest]) -> list[str]:
    """A bundle's own name; the folder's for peers; the folder above in front where two collide."""
    plain = [
        folder.resolve().name if has_random_weights(manifest) else manifest.name
        for folder, manifest in zip(folders, manifests, strict=True)
    ]
    labels = [
        f"{folder.resolve().parent.name}/{name}" if plain.count(name) > 1 else name
        for folder, name in zip(folders, plain, strict=True)
    ]
    if len(set(labels)) < len(labels):
        raise UserError(
            f"bundles {', '.join(labels)} cannot be told apart by their names and the folder "
            "above them; put them into folders of different names"
        )
    return labels
