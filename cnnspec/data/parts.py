"""Random parts of images, for training: drawn before an image is read, and cut when its size is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cnnspec.data.config import Augmentation
from cnnspec.data.draws import Draws

Box = tuple[float, float, float, float]

# Streams are numbered for good: see `draws`.
_AREA, _PLACE, _SIDE = 0, 100, 101


class Part(Protocol):
    """A part of an image of any size."""

    def box(self, width: int, height: int) -> Box:
        """Its left, top, right and bottom in an image of `width` and `height`, all in pixels."""
        ...


@dataclass(frozen=True)
class AreaPart:
    """A share of the image's area with a ratio of width to height; `left` and `top` are shares of the room around it.

    **Source**: Szegedy and others 2014, section 6, arXiv:1409.4842.
    """

    area: float
    ratio: float
    left: float
    top: float

    def box(self, width: int, height: int) -> Box:
        area = self.area * width * height
        across, down = min(np.sqrt(area * self.ratio), width), min(np.sqrt(area / self.ratio), height)
        return _placed(across, down, self.left, self.top, width, height)


@dataclass(frozen=True)
class SidePart:
    """What a window of `across` times `down` pixels shows once the image's shorter side has `side` pixels.

    **Source**: Simonyan and Zisserman 2014, section 3.1, arXiv:1409.1556.
    """

    side: float
    across: int
    down: int
    left: float
    top: float

    def box(self, width: int, height: int) -> Box:
        factor = min(width, height) / self.side
        return _placed(self.across * factor, self.down * factor, self.left, self.top, width, height)


def parts_of(config: Augmentation, shape: tuple[int, int, int], draws: Draws) -> Sequence[Part] | None:
    """A part for each image of a batch; `None` where the recipe takes whole images."""
    place = draws.uniform(_PLACE, 0, 1, 3)
    if config.resized_crop is not None:
        area = draws.uniform(_AREA, *config.resized_crop.area)[:, 0]
        low, high = np.log(config.resized_crop.ratio)
        return [
            AreaPart(a, float(np.exp(low + r * (high - low))), x, y) for a, (r, x, y) in zip(area, place, strict=True)
        ]
    if config.random_resize is not None:
        sides = draws.uniform(_SIDE, *config.random_resize)[:, 0]
        height, width, _ = shape
        return [SidePart(side, width, height, x, y) for side, (_, x, y) in zip(sides, place, strict=True)]
    return None


def _placed(across: float, down: float, left: float, top: float, width: int, height: int) -> Box:
    x, y = left * (width - across), top * (height - down)
    return x, y, x + across, y + down
