"""The training loop of one network over one range of noise."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fa_mobile.domains import domain_of
from fa_mobile.errors import UserError
from fa_mobile.files import explained
from fa_mobile.metrics import psnr
from fa_mobile.networks import build_network
from fa_mobile.nsma import new_spec, subrange
from fa_mobile.sensor import load_profile
from fa_mobile.training.batches import Batch, NoiseSampler, draw_batch
from fa_mobile.training.channels import even_last_product
from fa_mobile.training.config import (
    Precision,
    TrainConfig,
    check_same_config,
    training_a_range,
    write_config,
)
from fa_mobile.training.front import fit_front
from fa_mobile.training.log import Row, append, forget_after
from fa_mobile.training.objective import Loss, Objective, build_objective, pinned
from fa_mobile.training.precision import arithmetic
from fa_mobile.training.sources import FlatSource, Source
from fa_mobile.training.start import start_weights
from fa_mobile.training.state import STATE_FILE, RunState
from fa_mobile.training.tensors import entered

if TYPE_CHECKING:
    from fa_mobile.training.rounding import ActivationRanges

CONFIG_FILE: Final = "config.json"
_VALIDATION_SEED: Final = 20210302
_RANGE_SEED: Final = 20211122
_FIXED_BATCHES: Final = 4
"""To validate, and to measure int8 ranges: the same at every step."""


class Progress(NamedTuple):
    """What the loop reports after each step."""

    step: int
    loss: float
    learning_rate: float
    validation_psnr: float | None
    """dB of the averaged weights on held-out patches; None between validations."""


def noise_sampler(config: TrainConfig) -> NoiseSampler:
    """The range of noise of a run: the whole one, or a member's subrange with its overlap."""
    profile = load_profile(config.profile)
    spec = new_spec("untrained", config.network, profile, config.members)
    a_range = whole = training_a_range(profile)
    if config.member is not None:
        if config.member >= config.members:
            raise UserError(
                f"member {config.member} was given; allowed are 0..{config.members - 1}"
            )
        low, high = subrange(whole, spec.edges, config.member)
        a_range = (
            max(low / (config.overlap_below or config.overlap), whole[0]),
            min(high * config.overlap, whole[1]),
        )
    above, below = config.profile_error, config.profile_error_below
    return NoiseSampler(
        profile, a_range, config.log_b_jitter, spec.edges, spec.anchors, config.member,
        above if below is None else below, above,
    )  # fmt: skip


def learning_rate(config: TrainConfig, step: int) -> float:
    """Linear warm-up, then cosine decay to zero."""
    if step < config.warmup:
        return config.learning_rate * (step + 1) / config.warmup
    done = (step - config.warmup) / max(config.steps - config.warmup, 1)
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * min(done, 1)))


Chances = np.ndarray[tuple[int], np.dtype[np.float64]]


def probabilities(sources: Sequence[Source]) -> Chances:
    """Draw images by the square root of their area: large ones more often, but not only."""
    weights = np.sqrt([source.area for source in sources])
    return np.asarray(weights / weights.sum(), np.float64)


def _prefetched(make: Callable[[int], Batch], start: int, stop: int) -> Iterator[Batch]:
    """Batches of steps start..stop - 1, each made in a thread while the last one trains."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make, start)
        for step in range(start, stop):
            batch = waiting.result()
            if step + 1 < stop:
                waiting = pool.submit(make, step + 1)
            yield batch


def train(
    config: TrainConfig,
    sources: Sequence[Source],
    held_out: Sequence[Source],
    folder: Path,
    report: Callable[[Progress], None],
    *,
    validate_every: int = 250,
) -> float:
    """Train until ``config.steps``, resuming what ``folder`` holds.

    Args:
        config: of the run; a folder started with another one is refused.
        sources, held_out: clean images to train on and to validate with; none in both.
        folder: of the run: configuration, log, state.
        report: called after every step.

    Returns:
        PSNR in dB of the averaged weights on the held-out patches.

    Raises:
        UserError: for another configuration, a loss whose parts are missing or do not fit, an
            unreadable state, a full disk, or a loss or gradient that is not finite (the last good
            state stays).
    """
    config = pinned(config)
    _check_colors(config, sources)
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    network = build_network(config.network).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if config.init is not None:
        network.load_state_dict(start_weights(Path(config.init), config))
    sampler = noise_sampler(config)
    chances = probabilities(sources)
    if config.flat_share:
        sources = [*sources, FlatSource()]
        chances = np.append(chances * (1 - config.flat_share), config.flat_share)
    fixed = _fixed_batches(sources, chances, config, sampler, _RANGE_SEED)
    features = [entered(batch, domain_of(network)).features for batch in fixed]
    if config.fit_front:
        fit_front(network, features)  # a resumed run then loads its own weights
    state = RunState(network, config.learning_rate, config.optimizer, config.precision)
    resumed = (folder / STATE_FILE).is_file()
    if resumed:
        check_same_config(config, folder / CONFIG_FILE)
    objective = build_objective(config)
    if resumed:
        state.load(folder)
        forget_after(folder, state.step)
    else:
        forget_after(folder, 0)
        write_config(config, folder / CONFIG_FILE)
    checks = _fixed_batches(held_out, probabilities(held_out), config, sampler, _VALIDATION_SEED)
    model: nn.Module = network
    if config.rounded:
        # Here, because importing the quantizer takes seconds and prints advice of its own.
        from fa_mobile.training.rounding import ActivationRanges, rounded_twin

        model = rounded_twin(network, features[0])
        activation_ranges = ActivationRanges(model)
        if resumed:
            _restore_ranges(activation_ranges, state, folder)
        activation_ranges.measure(features)
        if not resumed:
            activation_ranges.search(lambda: -validation_psnr(model, state.average, fixed))
            state.range_factors = activation_ranges.factors

    def make(step: int) -> Batch:
        return draw_batch(
            sources, chances, sampler,
            seed=config.seed, step=step, batch=config.batch, patch=config.patch,
        )  # fmt: skip

    last = float("nan")
    for batch in _prefetched(make, state.step, config.steps):
        rate = learning_rate(config, state.step)
        stepped = network if config.rounded and _in_float(config, state.step) else model
        done_step = _step(state, stepped, objective, batch, rate, config.precision)
        loss = done_step.loss.total.item()
        for name, value in (("loss", loss), ("gradient", done_step.gradient)):
            if not math.isfinite(value):
                raise UserError(
                    f"the {name} became {value} at step {state.step}; {state.kept(folder)}: lower "
                    f"the learning rate (now {config.learning_rate:g}) and start anew"
                )
        state.step += 1
        state.update_average(config.ema_decay)
        done = state.step == config.steps
        checked = None
        if done or state.step % validate_every == 0:
            checked = last = validation_psnr(model, state.average, checks)
            state.best_psnr = max(state.best_psnr, checked)
            _, base, term = done_step.loss
            parts = (None, None) if term is None else (base.item(), term.item())
            append(folder, Row(state.step, loss, rate, checked, *parts))
        if done and config.rounded:
            even_last_product(state, features)
        if done or state.step % config.save_every == 0:
            state.save(folder)
            if config.rounded:
                activation_ranges.measure(features)
        report(Progress(state.step, loss, rate, checked))
    return last if math.isfinite(last) else validation_psnr(model, state.average, checks)


def _restore_ranges(ranges: ActivationRanges, state: RunState, folder: Path) -> None:
    try:
        ranges.restore(state.range_factors)
    except ValueError as error:
        raise UserError(
            f"training state {folder / STATE_FILE} does not fit this network ({error}); delete "
            "the run folder to start afresh"
        ) from error


def _in_float(config: TrainConfig, step: int) -> bool:
    """Whether a step of a rounded run is without the rounding: a pure function, to resume."""
    return float(np.random.default_rng([config.seed, step, 1]).random()) < config.float_share


def _check_colors(config: TrainConfig, sources: Sequence[Source]) -> None:
    if config.loss != "perceptual":
        return
    colorless = sum(not source.has_color for source in sources)
    if colorless:
        raise UserError(
            f"{colorless} of {len(sources)} images to train on do not state their camera's colour "
            "(matrix and white balance), which loss perceptual renders them with; leave them out "
            "or choose another loss"
        )


class _Step(NamedTuple):
    loss: Loss
    gradient: float
    """Norm over all parameters."""


def _step(
    state: RunState,
    model: nn.Module,
    objective: Objective,
    batch: Batch,
    rate: float,
    precision: Precision = "float32",
) -> _Step:
    """One step down the loss, unless the loss or its gradient is not finite."""
    domain = domain_of(state.network)
    patches = entered(batch, domain)
    for group in state.optimizer.param_groups:
        group["lr"] = rate
    with arithmetic(precision):
        residual = model(patches.features).float()
    estimate = domain.leave(patches.noisy, patches.features, residual, *patches.scalars)
    loss = objective(estimate, patches)
    state.optimizer.zero_grad()
    loss.total.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(state.network.parameters(), 100.0).item()
    if math.isfinite(norm) and math.isfinite(loss.total.item()):
        state.optimizer.step()
    return _Step(loss, norm)


def _fixed_batches(
    sources: Sequence[Source],
    chances: Chances,
    config: TrainConfig,
    sampler: NoiseSampler,
    seed: int,
) -> list[Batch]:
    return [
        draw_batch(sources, chances, sampler, seed=seed, step=step, batch=16, patch=config.patch)
        for step in range(_FIXED_BATCHES)
    ]


@torch.no_grad()
def validation_psnr(model: nn.Module, weights: dict[str, Tensor], checks: Sequence[Batch]) -> float:
    """Mean PSNR in dB over held-out patches, each brought to the same noise by its weight.

    ``model`` runs with ``weights``, by the names of its parameters.
    """
    scores, domain = [], domain_of(model)
    for batch in checks:
        patches = entered(batch, domain)
        residual = torch.func.functional_call(model, weights, (patches.features,))
        denoised = domain.leave(patches.noisy, patches.features, residual, *patches.scalars)
        estimates = denoised * patches.weight
        for estimate, truth in zip(estimates, patches.clean * patches.weight, strict=True):
            scores.append(psnr(estimate.numpy(), truth.numpy(), data_range=1))
    return float(np.mean(scores))
