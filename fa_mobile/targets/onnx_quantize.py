"""int8 for one member's ONNX graph: QDQ around the network, everything else stays float.

All ranges start at the percentile that loses least on the calibration samples; channels are
equalized or left as training rescaled them, whichever int8 then adds less to. From there each range
goes where int8 adds least (:mod:`fa_mobile.ranges`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from torch import nn

from fa_mobile.folding.mosaic import MosaicMember
from fa_mobile.progress import counter
from fa_mobile.ranges import Seen, best_start, search
from fa_mobile.targets.base import CalibrationSample
from fa_mobile.targets.islands import (
    HOPELESS,
    MAX_LOSS_DB,
    SEARCHED,
    Ladder,
    added_loss,
    psnr_loss,
)
from fa_mobile.targets.onnx_equalize import equalize
from fa_mobile.targets.onnx_member import feeds, load, network_nodes
from fa_mobile.targets.onnx_ranges import activation_ranges, insert_qdq, observe
from fa_mobile.targets.settling import BIAS, WEIGHT, can_settle, settle

LADDER: Final[Ladder] = (
    (),
    ("head", "conv0*", "pool", "enc0*"),
    ("head", "conv0*", "pool", "enc0*", "dec0*", "tail"),
    ("head", "conv0*", "pool", "enc0*", "dec0*", "tail", "*.align*", "down0*", "up0*", "skip0*"),
    ("stem", "reduce", "enc0*", "dec0*", "tail", "align0*", "down1*", "up1*"),
    ("[!m]*",),
    ("*",),
)
"""Float islands, fewest first: none; where the full-resolution signal enters; the first level's
blocks; what leads to and from it and Feature-Align too, of the paper's network and of ``mobile``;
all but the middle; everything. Patterns of module paths inside the network."""

Outputs = Sequence[npt.NDArray[np.float32]]


class Quantized(NamedTuple):
    """A member in int8: its float islands (module paths), the percentile with which its ranges
    started, whether channels were equalized, the loss in dB."""

    model: onnx.ModelProto
    islands: tuple[str, ...]
    percentile: float
    equalized: bool
    loss_db: float


class Settling(NamedTuple):
    """What :func:`fa_mobile.targets.settling.settle` needs: the folded member, and flat colours."""

    member: nn.Module
    flat: Sequence[CalibrationSample]


def quantize(
    model: onnx.ModelProto,
    samples: Sequence[CalibrationSample],
    ladder: Ladder = LADDER,
    settling: Settling | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Quantized:
    """Quantize the network inside a member's model.

    Weights are int8, symmetric, per output channel; activations uint8 with a zero point, which
    x86's VNNI multiplies twice as fast as int8 and ARM's dot products as fast.

    Args:
        model: from :func:`fa_mobile.targets.onnx_member.member_model`, metadata in place.
        samples: at least one; of the member's own subrange.
        ladder: float islands to try, fewest first; the first that loses little is kept, the
            last one in any case.
        settling: with which int8 gets the means of float on flat colours.
        progress: of the search of ranges, called with (ranges searched, ranges in all).

    Raises:
        ValueError: without samples.
    """
    if not samples:
        raise ValueError("no calibration samples were given; int8 needs at least one per member")
    graphs = ((model, False), (equalize(model, samples), True))
    paths = network_nodes(model)
    seen = [observe(graph, list(paths), samples) for graph, _ in graphs]
    flat = settling.flat if settling and can_settle(settling.member) else ()
    reference = _outputs(model, [*flat, *samples])
    for islands in ladder:
        floats = {path for path in paths.values() if any(fnmatchcase(path, p) for p in islands)}
        inside = [name for name, path in paths.items() if path not in floats]
        if not inside:
            return Quantized(model, tuple(sorted(floats)), 100.0, False, 0.0)
        photos = reference[len(flat) :]
        starts = [
            _started(*given, inside, values, samples, photos)
            for given, values in zip(graphs, seen, strict=True)
        ]
        # How far channels differ decides how finely each is resolved, so what int8 adds tells.
        found = min(
            starts, key=lambda made: added_loss(samples, photos, _outputs(made.model, samples))
        )
        found = found._replace(islands=tuple(sorted(floats)))
        if found.loss_db <= HOPELESS * MAX_LOSS_DB:
            found = _searched(found, samples, photos, progress)
            if settling is not None and can_settle(settling.member):
                found = _settled(found, samples, settling.member, settling.flat, reference)
        if found.loss_db <= MAX_LOSS_DB:
            break
    return found


def _started(
    graph: onnx.ModelProto,
    equalized: bool,
    inside: Sequence[str],
    seen: Mapping[str, Seen],
    samples: Sequence[CalibrationSample],
    reference: Outputs,
) -> Quantized:
    """``graph`` in int8 with the percentile that loses least."""
    model = insert_qdq(graph, inside, seen)
    ranges = activation_ranges(model)
    percentile, loss = best_start(
        list(ranges.values()),
        [seen[name] for name in ranges],
        lambda: psnr_loss(samples, reference, _outputs(model, samples)),
    )
    return Quantized(model, (), percentile, equalized, loss)


def _searched(
    made: Quantized,
    samples: Sequence[CalibrationSample],
    reference: Outputs,
    progress: Callable[[int, int], None] | None,
) -> Quantized:
    """``made`` with each range, changed in place, where int8 adds least."""
    ranges = list(activation_ranges(made.model).values())[::-1][:SEARCHED]
    search(
        ranges,
        lambda: added_loss(samples, reference, _outputs(made.model, samples)),
        counter(progress, len(ranges)),
    )
    after = _outputs(made.model, samples)
    return made._replace(loss_db=psnr_loss(samples, reference, after))


def _settled(
    made: Quantized,
    samples: Sequence[CalibrationSample],
    member: MosaicMember,
    flat: Sequence[CalibrationSample],
    reference: Outputs,
) -> Quantized:
    """``made`` with the means of float, whose outputs for ``flat`` and ``samples`` are given."""
    int8 = _outputs(made.model, [*flat, *samples])
    change = settle(member, flat, samples, reference, int8)
    for name, more in zip((WEIGHT, BIAS), change, strict=True):
        (held,) = (item for item in made.model.graph.initializer if item.name == name)
        held.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(held) + more, name))
    after = _outputs(made.model, samples)
    return made._replace(loss_db=psnr_loss(samples, reference[len(flat) :], after))


def _outputs(
    model: onnx.ModelProto, samples: Sequence[CalibrationSample]
) -> list[npt.NDArray[np.float32]]:
    session = load(model)
    return [session.run(None, feeds(sample))[0] for sample in samples]
