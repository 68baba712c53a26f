"""Tables made for tests: one gain, or as many as values are given."""

from __future__ import annotations

from typing import Any

from fa_mobile.experiments.results import Kind, Row, Score, Settings, Table

SHA = "0" * 64


def settings_of(**changes: Any) -> Settings:
    base = Settings(
        network=None, sensor="made", provenance="made for a test", members=4, steps=10,
        common_steps=0, batch=2, patch=32, optimizer="muon", learning_rate=0.01, later_rate=None,
        training_images=2, validation_images=1, training_sha256=SHA, test_photos=1,
        test_sha256=SHA, crop=512, noise_seed=0, gains=(1.0, 8.0, 64.0), measures=("raw-psnr",),
        perceptual_sha256=None,
    )  # fmt: skip
    return base.model_copy(update=changes)


def row_of(name: str, values: list[float], seed: int = 0, measure: str = "raw-psnr") -> Row:
    """A row with one value for each gain 1, 8, 64."""
    scores = tuple(
        Score(gain=8.0**k, values={"raw-psnr": value, measure: value})
        for k, value in enumerate(values)
    )
    return Row(name=name, seed=seed, weights_sha256=SHA, seconds_per_step=None, scores=scores)


def table_of(
    kind: Kind, measure: str = "raw-psnr", **rows: list[float] | list[list[float]]
) -> Table:
    """Rows by name: values by gain, or a list of them by seed. ``_`` in a name stands for ``-``."""
    made = []
    for name, values in rows.items():
        by_seed = values if isinstance(values[0], list) else [values]
        made += [
            row_of(name.replace("_", "-"), [float(v) for v in one], seed, measure)  # type: ignore[union-attr]
            for seed, one in enumerate(by_seed)
        ]
    gains = tuple(score.gain for score in made[0].scores)
    measures = tuple(dict.fromkeys(("raw-psnr", measure)))
    return Table(
        table=kind, settings=settings_of(gains=gains, measures=measures),
        noisy=tuple(Score(gain=gain, values=dict.fromkeys(measures, 30.0)) for gain in gains),
        rows=tuple(made),
    )  # fmt: skip
