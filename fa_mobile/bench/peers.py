"""Networks to compare with, by name, exported when they are first asked for.

Peers carry random weights unless released ones are given: a runtime takes the same time for any.
Their bundles say so ("random-..." as the checkpoint), and so does a report.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from fa_mobile.errors import UserError
from fa_mobile.manifest import MANIFEST_FILE, Manifest
from fa_mobile.targets.table import PRECISIONS

PEERS_FOLDER: Final = Path("build/peers")
RANDOM: Final = "random-"
"""How the checkpoint of a peer with random weights is called, followed by the network."""

_NETWORKS: Final = {
    "pmrid": "pmrid",
    "plain": "plain",
    "paper": "paper",
    "mobile": "mobile",
    "naive": "paper",
}
"""Peer names to network names. ``naive`` is the paper's network without any fold."""
PEER_NAMES: Final = tuple(_NETWORKS)
_SENSOR: Final = "imx258"
_GAINS: Final = (8.0, 32.0)
"""What a peer is made for: a range of noise as wide as a member's of an array. One network in int8
over the profile's whole range would be too coarse to pass its verification."""
_SEED: Final = 2103


class Peer(NamedTuple):
    """A peer's name, and the target and precision asked for (None: those of the bundle raced)."""

    name: str
    target: str | None = None
    precision: str | None = None


def parse_peer(text: str) -> Peer | None:
    """ "plain", "plain-int8", "plain-onnx-int8"; None for what is not the name of a peer."""
    name, *rest = text.split("-")
    target = rest.pop(0) if rest and rest[0] in PRECISIONS else None
    known = {precision for precisions in PRECISIONS.values() for precision in precisions}
    precision = rest.pop(0) if rest and rest[0] in known else None
    return Peer(name, target, precision) if name in PEER_NAMES and not rest else None


def has_random_weights(manifest: Manifest) -> bool:
    """Whether a bundle is a peer that was exported without training."""
    return manifest.checkpoint.startswith(RANDOM)


def peer_bundle(
    name: str,
    target: str,
    precision: str,
    folder: Path,
    tile: tuple[int, int],
    report: Callable[[str], None] = lambda _line: None,
) -> Path:
    """The bundle of a peer, exported into ``folder`` unless it is there.

    Args:
        name: one of ``PEER_NAMES``.
        folder: of all peers; a bundle in it that was damaged is not repaired, remove it.
        tile: rows and columns that it is exported for.

    Raises:
        UserError: for a name, target or precision that is unknown, or without the exporters.
        ExportError: when the export does not match in its runtime.
    """
    if name not in PEER_NAMES:
        raise UserError(
            f"peer {name!r} was given; allowed are {', '.join(PEER_NAMES)}, each also with a "
            "precision or target and precision (plain-onnx-fp32), or the folder of a bundle"
        )
    if precision not in PRECISIONS.get(target, ()):
        raise UserError(
            f"peer {name} was asked for as {target} {precision}; allowed are "
            + ", ".join(f"{t} {p}" for t, ps in PRECISIONS.items() for p in ps)
        )
    bundle = folder / f"{tile[0]}x{tile[1]}" / f"{name}-{target}-{precision}"
    if not (bundle / MANIFEST_FILE).is_file():
        report(f"exporting the peer {bundle.name}")
        _export(name, target, precision, bundle, tile, report)
    return bundle


def _export(
    name: str,
    target: str,
    precision: str,
    bundle: Path,
    tile: tuple[int, int],
    report: Callable[[str], None],
) -> None:
    """One network with random weights, through the recipe machinery, moved to ``bundle``.

    One member, and int8 throughout: islands that random weights would ask for mean nothing.
    """
    from fa_mobile.needs import require_export

    require_export()
    import tempfile

    import torch

    from fa_mobile.exporting import export_recipe
    from fa_mobile.folding import UNFOLDED
    from fa_mobile.nsma import NoiseSubrangeModelArray, new_spec, save_checkpoint
    from fa_mobile.sensor import load_profile

    network = _NETWORKS[name]
    profile = load_profile(_SENSOR).model_copy(update={"gain_range": _GAINS})
    bundle.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".peer-", dir=bundle.parent) as work:
        with torch.random.fork_rng():
            torch.manual_seed(_SEED)  # the same bytes each time: baselines name the peer's hash
            spec = new_spec(f"{RANDOM}{network}", network, profile, 1)
            save_checkpoint(NoiseSubrangeModelArray.untrained(spec), Path(work) / "array")
        (Path(work) / "sensor.json").write_text(profile.to_json(), encoding="utf-8")
        recipe = Path(work) / "recipe.toml"
        recipe.write_text(
            f'schema_version = 1\nsensor = "sensor.json"\ncheckpoint = "array"\n'
            f"tile = {list(tile)}\n"
            f'[[target]]\nname = "{target}"\nprecisions = ["{precision}"]\n',
            encoding="utf-8",
        )
        folds = UNFOLDED if name == "naive" else None
        (made,) = export_recipe(
            recipe, report, Path(work) / "dist", folds=folds, all_int8=precision == "int8"
        )
        made.folder.replace(bundle)
