"""A minimal camera pipeline and its inverse, one function per physical step.

The forward steps render a RAW mosaic for looking at and for RGB metrics; the inverse steps turn
photos into clean RAW for training ("unprocessing": T. Brooks et al., CVPR 2019). Images are
float arrays [..., H, W, 3], 0..1, unless a function says otherwise.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from fa_mobile.bayer import mosaic_rgb

Image = npt.NDArray[np.float32]
AnyImage = npt.NDArray[np.floating[Any]]

# XYZ (D65) to camera RGB of four cameras, as their DNG ColorMatrix tags state them; mixed at
# random so that a network does not learn one camera's colours (UPI, section 3.4).
CAMERA_MATRICES: Final[Image] = np.array(
    [
        [[1.0234, -0.2969, -0.2266], [-0.5625, 1.6328, -0.0469], [-0.0703, 0.2188, 0.6406]],
        [[0.4913, -0.0541, -0.0202], [-0.613, 1.3513, 0.2906], [-0.1564, 0.2151, 0.7183]],
        [[0.838, -0.263, -0.0639], [-0.2887, 1.0725, 0.2496], [-0.0627, 0.1427, 0.5438]],
        [[0.6596, -0.2079, -0.0562], [-0.4782, 1.3016, 0.1933], [-0.097, 0.1581, 0.5181]],
    ],
    np.float32,
)
_SRGB_TO_XYZ: Final[Image] = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]],
    np.float32,
)  # fmt: skip


class ColorPipeline(NamedTuple):
    """The colour of one exposure: how camera RGB relates to linear sRGB.

    ``rgb_to_camera`` [3, 3] has rows that sum to 1 (white stays white); ``red_gain``,
    ``blue_gain`` are white-balance gains over green; ``brightness`` is a digital gain.
    """

    rgb_to_camera: Image
    red_gain: float
    blue_gain: float
    brightness: float


def srgb_to_camera(xyz_to_camera: npt.ArrayLike) -> Image:
    """Linear sRGB -> camera RGB from a DNG-style matrix, rows normalised to keep white."""
    matrix = np.asarray(xyz_to_camera, np.float32).reshape(3, 3) @ _SRGB_TO_XYZ
    return np.asarray(matrix / matrix.sum(axis=1, keepdims=True), np.float32)


def random_color(rng: np.random.Generator) -> ColorPipeline:
    """A random camera: matrices mixed, daylight-to-indoor gains, exposure (UPI, section 3.4)."""
    weights = rng.uniform(1e-8, 1e8, (len(CAMERA_MATRICES), 1, 1))
    mixed = (CAMERA_MATRICES * weights).sum(axis=0) / weights.sum()
    return ColorPipeline(
        rgb_to_camera=srgb_to_camera(mixed),
        red_gain=float(rng.uniform(1.9, 2.4)),
        blue_gain=float(rng.uniform(1.5, 1.9)),
        brightness=1 / max(float(rng.normal(0.8, 0.1)), 0.4),
    )


def inverse_smoothstep(image: AnyImage) -> Image:
    """Undo the global tone curve 3x^2 - 2x^3."""
    return np.asarray(0.5 - np.sin(np.arcsin(1 - 2 * np.clip(image, 0, 1)) / 3), np.float32)


def smoothstep(image: AnyImage) -> Image:
    """The global tone curve 3x^2 - 2x^3."""
    clipped = np.clip(image, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), np.float32)


def gamma_expansion(image: AnyImage) -> Image:
    """Display to linear light, exponent 2.2."""
    return np.asarray(np.maximum(image, 1e-8) ** 2.2, np.float32)


def gamma_compression(image: AnyImage) -> Image:
    """Linear light to display, exponent 1 / 2.2."""
    return np.asarray(np.maximum(image, 1e-8) ** (1 / 2.2), np.float32)


def apply_ccm(image: AnyImage, matrix: Image) -> Image:
    """Multiply every pixel by a colour matrix [3, 3]."""
    return np.asarray(image @ matrix.T, np.float32)


def invert_white_balance(image: Image, color: ColorPipeline) -> Image:
    """Divide by the gains, but let highlights stay white.

    A saturated white pixel divided by the red gain would become cyan, which no sensor reports;
    above 0.9 the inverse gain is blended towards 1 (UPI, Eq. 7 and 8).
    """
    gains = 1 / (np.array([color.red_gain, 1, color.blue_gain], np.float32) * color.brightness)
    gray = image.mean(axis=-1, keepdims=True)
    mask = (np.maximum(gray - 0.9, 0) / 0.1) ** 2
    safe = np.maximum(mask + (1 - mask) * gains, gains)
    return np.asarray(image * safe, np.float32)


def linearize_photo(photo: AnyImage) -> Image:
    """Display-referred photo [H, W, 3] in 0..1 to linear sRGB: the steps without randomness."""
    return gamma_expansion(inverse_smoothstep(photo))


def unprocess_linear(linear: AnyImage, color: ColorPipeline) -> Image:
    """Linear sRGB [..., H, W, 3] to a clean RGGB mosaic [..., H, W] in 0..1 (even sides)."""
    camera = np.clip(apply_ccm(linear, color.rgb_to_camera), 0, 1)
    return np.asarray(np.clip(mosaic_rgb(invert_white_balance(camera, color)), 0, 1), np.float32)


def unprocess(photo: AnyImage, color: ColorPipeline) -> Image:
    """Photo [H, W, 3] in 0..1 to a clean RGGB mosaic [H, W] in 0..1, white-balance gains undone."""
    return unprocess_linear(linearize_photo(photo), color)


def demosaic_bilinear(mosaic: Image) -> Image:
    """RGGB mosaic [H, W] in 0..1, sides at least 2, to camera RGB [H, W, 3], bilinear."""
    import cv2  # only RGB metrics need it; unprocessing does not

    codes = np.round(np.clip(mosaic, 0, 1) * 65535).astype(np.uint16)
    # OpenCV names the pattern by the pixel at (1, 1) and its right neighbour: RGGB is "BG".
    rgb = cv2.cvtColor(codes, cv2.COLOR_BayerBG2RGB)
    return np.asarray(rgb, np.float32) / np.float32(65535)


def render(mosaic: Image, color: ColorPipeline, *, tone: bool = True) -> Image:
    """RGGB mosaic [H, W] in 0..1 to a display image [H, W, 3] in 0..1.

    White balance, bilinear demosaicing, colour matrix, gamma and (where ``tone``) the tone curve:
    the inverse of :func:`unprocess` up to what sampling and clipping lose.
    """
    balanced = np.array(mosaic, np.float32)
    balanced[0::2, 0::2] *= color.red_gain
    balanced[1::2, 1::2] *= color.blue_gain
    rgb = demosaic_bilinear(balanced * color.brightness)
    linear = np.clip(apply_ccm(rgb, np.linalg.inv(color.rgb_to_camera)), 0, 1)
    display = gamma_compression(linear)
    return smoothstep(display) if tone else display
