"""The Noise Subrange Model Array: partition of the noise range, selection, checkpoint files.

A checkpoint is a folder with ``array.json`` (what the array is) and ``weights.safetensors`` (its
tensors, named ``<member>.<parameter>``). No pickle is ever read.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import numpy as np
import safetensors
import safetensors.torch
import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from torch import nn

from fa_mobile.errors import UserError, describe_validation
from fa_mobile.files import replace_folder
from fa_mobile.networks import NETWORK_NAMES, build_network
from fa_mobile.noise import NoiseParameters
from fa_mobile.selection import Edges
from fa_mobile.sensor import SensorProfile

CHECKPOINT_SCHEMA: Final = 1
ARRAY_FILE: Final = "array.json"
WEIGHTS_FILE: Final = "weights.safetensors"


def partition(a_range: tuple[float, float], members: int) -> Edges:
    """Inner edges of ``members`` subranges of equal length in log a (Eq. 5-6).

    Edge i of n is a_min (a_max / a_min)^(i / n), i = 1 .. n - 1. The paper's text is followed as
    far as it is known here: log a is what training draws uniformly, so equal lengths of log a
    give every member the same share of the training range.

    Args:
        a_range: (a_min, a_max), 0 < a_min < a_max.
        members: n >= 1.
    """
    low, high = a_range
    if not (0 < low < high < math.inf):
        raise ValueError(f"a_range={a_range} was given; it must rise from above 0")
    if members < 1:
        raise ValueError(f"members={members} was given; allowed are whole numbers from 1")
    ratio = high / low
    return tuple(float(np.float32(low * ratio ** (i / members))) for i in range(1, members))


def subrange(a_range: tuple[float, float], edges: Edges, index: int) -> tuple[float, float]:
    """(low, high) of a that member ``index`` serves within ``a_range``."""
    bounds = (a_range[0], *edges, a_range[1])
    return bounds[index], bounds[index + 1]


class ArraySpec(BaseModel):
    """What ``array.json`` holds: everything about an array but its tensors.

    ``anchors`` are the noises (a, b) to whose domain k-sigma brings each member's input
    (networks of the stabilised domain need none).
    ``training`` is free-form provenance: data, steps, PSNR per gain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: Literal[1] = CHECKPOINT_SCHEMA
    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
    network: str
    members: Annotated[int, Field(ge=1, le=64)]
    edges: tuple[float, ...]
    anchors: tuple[NoiseParameters, ...]
    profile: SensorProfile
    training: dict[str, Any] = {}
    weights_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] = "0" * 64

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.network not in NETWORK_NAMES:
            raise ValueError(
                f"network {self.network!r} is unknown; allowed are {', '.join(NETWORK_NAMES)}"
            )
        if len(self.edges) != self.members - 1 or len(self.anchors) != self.members:
            raise ValueError(
                f"members={self.members} needs {self.members - 1} edges and {self.members} "
                f"anchors, got {len(self.edges)} and {len(self.anchors)}"
            )
        if any(not low < high for low, high in zip((0, *self.edges), self.edges, strict=False)):
            raise ValueError(f"edges {self.edges} must rise from above 0")
        if any(not (a > 0 and b >= 0) for a, b in self.anchors):
            raise ValueError("anchors must have a > 0 and b >= 0")
        return self


def new_spec(name: str, network: str, profile: SensorProfile, members: int) -> ArraySpec:
    """The specification of an untrained array over a profile's gain range.

    Each member's anchor is the noise at the low end of its subrange, on the profile's log line:
    there k-sigma scales by 1, and by less above, so that the network's input stays within about
    0..1 and int8 activations keep their resolution.
    """
    edges = partition(profile.a_range, members)
    lows = (profile.a_range[0], *edges)
    return ArraySpec(
        name=name,
        network=network,
        members=members,
        edges=edges,
        anchors=tuple(NoiseParameters(a, profile.line_b(a)) for a in lows),
        profile=profile,
    )


class NoiseSubrangeModelArray(nn.Module):
    """n networks of one architecture, each for one range of noise."""

    def __init__(self, spec: ArraySpec, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        if len(networks) != spec.members:
            raise ValueError(f"{len(networks)} networks were given for {spec.members} members")
        self.spec = spec
        self.networks = nn.ModuleList(networks)

    @classmethod
    def untrained(cls, spec: ArraySpec) -> Self:
        """Random weights: for tests and as the start of training; never shipped."""
        return cls(spec, [build_network(spec.network) for _ in range(spec.members)])


def one_member(array: NoiseSubrangeModelArray, member: int) -> NoiseSubrangeModelArray:
    """An array whose only member, at every gain, is that of ``array`` with this index."""
    spec: ArraySpec = array.spec.model_copy(
        update={"members": 1, "edges": (), "anchors": (array.spec.anchors[member],)}
    )
    return NoiseSubrangeModelArray(spec, [array.networks[member]])


def sha256_file(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def save_checkpoint(array: NoiseSubrangeModelArray, folder: Path) -> None:
    """Write an array to ``folder`` (created or replaced as a whole).

    Raises:
        UserError: when the folder cannot be written.
    """
    tensors = {
        f"{index}.{name}": tensor.detach().to(torch.float32).contiguous()
        for index, network in enumerate(array.networks)
        for name, tensor in network.state_dict().items()
    }
    with replace_folder(folder) as partial:
        weights = partial / WEIGHTS_FILE
        # Bytes, so that a full disk is an OSError and not the library's own kind of error.
        weights.write_bytes(safetensors.torch.save(tensors))
        spec = array.spec.model_copy(update={"weights_sha256": sha256_file(weights)})
        (partial / ARRAY_FILE).write_text(spec.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_spec(folder: Path) -> ArraySpec:
    """Read and validate ``array.json``.

    Raises:
        UserError: for a missing file, wrong JSON, an unknown schema version, wrong n.
    """
    path = folder / ARRAY_FILE
    if not path.is_file():
        raise UserError(
            f"checkpoint {folder} has no {ARRAY_FILE}: allowed is a folder with {ARRAY_FILE} and "
            f"{WEIGHTS_FILE}, as 'fa-mobile train' writes it; pickled files (.pt, .pth, .ckp) "
            "are never loaded"
        )
    try:
        return ArraySpec.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"checkpoint {folder}: {ARRAY_FILE} is not JSON: {error}") from error
    except ValidationError as error:
        raise UserError(f"checkpoint {folder}: {describe_validation(error)}") from error


def load_checkpoint(folder: Path) -> NoiseSubrangeModelArray:
    """Load an array, refusing anything that is not exactly one.

    Raises:
        UserError: for missing, extra, wrongly shaped or non-finite tensors, a wrong hash, a
            pickle, and everything that :func:`read_spec` refuses.
    """
    spec = read_spec(folder)
    path = folder / WEIGHTS_FILE
    if not path.is_file():
        raise UserError(
            f"checkpoint {folder} has no {WEIGHTS_FILE}; restore it beside {ARRAY_FILE}"
        )
    try:
        tensors = safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"checkpoint {folder}: {WEIGHTS_FILE} is not a safetensors file ({error}); pickles "
            "are never loaded, convert the weights with safetensors.torch.save_file first"
        ) from error
    array = NoiseSubrangeModelArray.untrained(spec)
    _fill(array, tensors, folder)
    if sha256_file(path) != spec.weights_sha256:
        raise UserError(
            f"checkpoint {folder}: {WEIGHTS_FILE} has not the hash that {ARRAY_FILE} states; "
            "one of the two files was changed, restore both from one source"
        )
    return array.eval()


def _fill(
    array: NoiseSubrangeModelArray, tensors: Mapping[str, torch.Tensor], folder: Path
) -> None:
    wanted = {
        f"{index}.{name}": tensor
        for index, network in enumerate(array.networks)
        for name, tensor in network.state_dict().items()
    }
    problems = []
    if missing := sorted(wanted.keys() - tensors.keys()):
        problems.append(f"missing {_some(missing)}")
    if extra := sorted(tensors.keys() - wanted.keys()):
        problems.append(f"not expected {_some(extra)}")
    for name in sorted(wanted.keys() & tensors.keys()):
        if wanted[name].shape != tensors[name].shape:
            problems.append(
                f"{name} has shape {list(tensors[name].shape)}, not {list(wanted[name].shape)}"
            )
        elif not torch.isfinite(tensors[name]).all():
            problems.append(f"{name} holds NaN or infinite weights")
    if problems:
        raise UserError(
            f"checkpoint {folder} does not fit {array.spec.members} x {array.spec.network}: "
            f"{_some(problems, separator='; ')}. Was it made by another version of fa-mobile? "
            "Use that one, or train anew"
        )
    with torch.no_grad():
        for name, parameter in wanted.items():
            parameter.copy_(tensors[name])


def _some(names: Sequence[str], most: int = 4, separator: str = ", ") -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + rest
