"""Small photos and short runs."""

from __future__ import annotations

import numpy as np
from PIL import Image

from fa_mobile.training import trainer
from fa_mobile.training.config import TrainConfig


def photo(seed: int, height: int = 160, width: int = 200) -> np.ndarray:  # type: ignore[type-arg]
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 20, width // 20, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BILINEAR))


def config(**changes: object) -> TrainConfig:
    base = TrainConfig(
        network="plain", members=2, steps=6, batch=2, patch=32, warmup=2, save_every=2
    )
    return base.model_copy(update=changes)


def quiet(_progress: trainer.Progress) -> None:
    pass
