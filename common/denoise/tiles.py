"""A network over a picture of any size, tile by tile, with the result that the whole picture at once would give."""

from collections.abc import Callable, Iterator

import numpy as np

from common.denoise.pretrained import Network
from common.errors import UserError
from common.score.evaluation import Denoiser

TILE = 512
"""Side in pixels of what a tile contributes. A network of 64 maps needs about 0.5 GB for one with its margin."""
WHOLE_PIXELS = 4_000_000
"""Of the largest picture that a network may be given whole because it sees all of it."""

Window = tuple[slice, slice]


def denoise_levels(
    pixels: np.ndarray,
    denoiser: Denoiser,
    network: Network,
    colours: int,
    advance: Callable[[], None],
    tile: int = TILE,
) -> np.ndarray:
    """Denoise an image of whole levels: (H, W, C), uint8 or uint16, C = 1 or 3, to one of the same shape and type.

    denoiser: of the network, on the 0–255 scale. colours: channels of its images. Grey pictures are given to a colour
    network as three equal channels, whose outputs are averaged; colour pictures to a grey one channel by channel.
    advance: called after each tile. Needs memory for the input, the output and one tile. UserError where the network
    sees the whole image and that is too large.
    """
    denoised = np.empty_like(pixels)
    scale = 255 / np.iinfo(pixels.dtype).max
    for inside, around in windows(pixels.shape[:2], network, tile):
        noisy = pixels[around].astype(np.float32) * np.float32(scale)
        estimate = in_colours(noisy, denoiser, colours)
        top, left = inside[0].start - around[0].start, inside[1].start - around[1].start
        height, width = (part.stop - part.start for part in inside)
        levels = np.round(np.clip(estimate[top : top + height, left : left + width], 0, 255) / scale)
        denoised[inside] = levels.astype(pixels.dtype)
        advance()
    return denoised


def windows(shape: tuple[int, ...], network: Network, tile: int = TILE) -> Iterator[tuple[Window, Window]]:
    """What each tile contributes to an image (H, W), and what the network has to see for that.

    Where the network's period is p (it pools by p in all), tiles begin at multiples of p, so that each pools the same
    pixels together as the whole image does. A tile sees half a receptive field and a period more on every side: the
    field may lie that much to one side of its pixel.
    """
    if network.receptive_field is None:
        if shape[0] * shape[1] > WHOLE_PIXELS:
            raise UserError(
                f"{shape[1]}×{shape[0]} pixels are too many for a network that sees the whole picture "
                f"(at most {WHOLE_PIXELS:,}): choose another one by --network"
            )
        whole = (slice(0, shape[0]), slice(0, shape[1]))
        yield whole, whole
        return
    period = network.period
    step = -(-tile // period) * period
    margin = -(-(network.receptive_field // 2 + period) // period) * period
    for top in range(0, shape[0], step):
        for left in range(0, shape[1], step):
            rows, columns = (
                (slice(start, min(start + step, side)), slice(max(start - margin, 0), min(start + step + margin, side)))
                for start, side in zip((top, left), shape, strict=True)
            )
            yield (rows[0], columns[0]), (rows[1], columns[1])


def in_colours(noisy: np.ndarray, denoiser: Denoiser, colours: int) -> np.ndarray:
    """A denoiser of images with `colours` channels (1 or 3) on an image with 1 or 3: see `denoise_levels`."""
    channels = noisy.shape[2]
    if channels == colours:
        return denoiser(noisy)
    if channels == 1:
        return denoiser(np.repeat(noisy, colours, axis=2)).mean(axis=2, keepdims=True)
    return np.concatenate([denoiser(noisy[..., [channel]]) for channel in range(channels)], axis=2)
