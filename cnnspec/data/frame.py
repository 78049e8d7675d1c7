"""How an image of any size fills the input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Frame:
    """The input of a network, in pixels, and the way into it (the fields of `DatasetConfig`)."""

    height: int
    width: int
    channels: int
    fit: str = "stretch"
    size: int | None = None
    interpolation: str = "bilinear"

    @property
    def bytes(self) -> int:
        return self.height * self.width * self.channels

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Whether images of `shape` (height, width, channels) go in unchanged."""
        return shape == (self.height, self.width, self.channels) and (self.fit != "pad" or self.size is None)

    def place(self, image: Image.Image) -> NDArray[np.uint8]:
        """The image, `[height, width, channels]`."""
        image = self._colours(image)
        target = (self.width, self.height)
        if self.fit == "pad":
            factor = (self.size or min(target)) / max(image.size)
            inner = self._resize(image, (_scaled(image.width, factor), _scaled(image.height, factor)))
            whole = Image.new(image.mode, target)
            whole.paste(inner, ((self.width - inner.width) // 2, (self.height - inner.height) // 2))
            return self._array(whole)
        if self.fit == "crop":
            factor = (self.size or _scaled(max(target), 8 / 7)) / min(image.size)
            # A crop must lie within: an oblong input may need more than the shorter side asks for.
            factor = max(factor, self.width / image.width, self.height / image.height)
            inner = self._resize(image, (_scaled(image.width, factor), _scaled(image.height, factor)))
            left, top = (inner.width - self.width) // 2, (inner.height - self.height) // 2
            return self._array(inner.crop((left, top, left + self.width, top + self.height)))
        return self._array(self._resize(image, target))

    def place_all(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The images `[n, ...]` of one size, placed one by one; unchanged where they fit."""
        if self.fits(images.shape[1:]):
            return images
        return np.stack([self.place(_picture(image)) for image in images]) if len(images) else self._none()

    def part(self, image: NDArray[np.uint8] | Image.Image, box: Any) -> NDArray[np.uint8]:
        """The part of an image within `box` (left, top, right, bottom, as shares), resized to the frame."""
        picture = self._colours(image if isinstance(image, Image.Image) else _picture(image))
        left, top, right, bottom = (float(v) for v in box)
        pixels = (left * picture.width, top * picture.height, right * picture.width, bottom * picture.height)
        target = (self.width, self.height)
        return self._array(picture.resize(target, Image.Resampling[self.interpolation.upper()], box=pixels))

    def _none(self) -> NDArray[np.uint8]:
        return np.zeros((0, self.height, self.width, self.channels), np.uint8)

    def _colours(self, image: Image.Image) -> Image.Image:
        mode = "L" if self.channels == 1 else "RGB"
        return image if image.mode == mode else image.convert(mode)

    def _resize(self, image: Image.Image, size: tuple[int, int]) -> Image.Image:
        return image if image.size == size else image.resize(size, Image.Resampling[self.interpolation.upper()])

    def _array(self, image: Image.Image) -> NDArray[np.uint8]:
        return np.asarray(image, np.uint8).reshape(self.height, self.width, self.channels)


def _picture(image: NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)


def _scaled(length: int, factor: float) -> int:
    return max(1, round(length * factor))
