"""What the tables call things: titles of rows and columns, and what the paper says of the order.

Only the paper's order is stated: its figures are of other photos, noise and steps, and are not
held against ours.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from fa_mobile.evaluation.measures import MEASURES, RAW_PSNR
from fa_mobile.experiments.results import Kind

PERCEPTUAL: Final = "st-lpips"


class Column(NamedTuple):
    """A measure in a table."""

    title: str
    digits: int
    smaller_is_better: bool = False
    unit: str = ""


COLUMNS: Final[dict[str, Column]] = {
    RAW_PSNR: Column(MEASURES[RAW_PSNR].title, 3, unit=" dB"),
    "raw-ssim": Column(MEASURES["raw-ssim"].title, 4),
    "rgb-psnr": Column(MEASURES["rgb-psnr"].title, 3, unit=" dB"),
    "rgb-ssim": Column(MEASURES["rgb-ssim"].title, 4),
    PERCEPTUAL: Column("ST-LPIPS (smaller is better)", 4, smaller_is_better=True),
}


class Claim(NamedTuple):
    """Which row the paper puts first, among which, by what."""

    says: str
    first: str
    among: tuple[str, ...]
    measure: str


CLAIMS: Final[dict[Kind, Claim]] = {
    "ablation": Claim(
        "The paper puts Feature-Align first",
        "paper", ("paper", "plain", "wavelet", "paper-no-skips"), RAW_PSNR,
    ),
    "subranges": Claim(
        "The paper puts the array of n = 4 before one model",
        "array", ("one-model", "array"), RAW_PSNR,
    ),
    "losses": Claim(
        "The paper puts the Feature Loss first on the perceptual distance",
        "feature", ("charbonnier", "perceptual", "distillation", "feature"), PERCEPTUAL,
    ),
}  # fmt: skip
TITLES: Final[dict[Kind, str]] = {
    "ablation": "Feature-Align against plain, wavelet and no skips",
    "subranges": "One model against an array of models for subranges of noise",
    "losses": "Four losses",
}
ROWS: Final[dict[str, str]] = {
    "paper": "`paper` (Feature-Align)",
    "plain": "`plain` (without Feature-Align)",
    "wavelet": "`wavelet` (wavelet U-Net)",
    "paper-no-skips": "`paper-no-skips` (Feature-Align, no skips)",
    "one-model": "one model",
    "charbonnier": "Charbonnier",
    "perceptual": "perceptual (VGG16)",
    "distillation": "distillation",
    "feature": "Feature Loss",
}


def row_title(name: str, members: int) -> str:
    """Of a row; ``members`` is n."""
    return f"array of n = {members}" if name == "array" else ROWS.get(name, f"`{name}`")


def short_title(name: str, members: int) -> str:
    """The same without what stands in brackets."""
    return row_title(name, members).split(" (")[0]
