"""What a dataset is: labels known from the start, and images read by index at the network's size."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cnnspec.data.frame import Frame, picture_of
from cnnspec.data.parts import Part

Images = NDArray[np.uint8]
Labels = NDArray[np.int32]

#: Below this many bytes a whole set is resized once, at the start.
RESIZE_AT_ONCE = 1 << 30


class Dataset(ABC):
    """Labelled images with random access.

    `labels [N]` counts from 0; `classes` names them; `channels` is what the files hold (`None`: whatever is asked).
    """

    #: Threads that make its batches, where a recipe does not say.
    threads: ClassVar[int] = 2

    def __init__(self, name: str, classes: Sequence[str], labels: Labels, channels: int | None, frame: Frame) -> None:
        self.name = name
        self.classes = tuple(classes)
        self.labels = np.asarray(labels, np.int32)
        self.channels = channels
        self.frame = frame

    def __len__(self) -> int:
        return len(self.labels)

    def describe(self, index: int) -> str:
        """What people call this image: a file, or a position."""
        return f"{self.name} image {index}"

    def unreadable(self, indices: Iterable[int]) -> dict[str, str]:
        """Why each of these images cannot be read, by what `describe` calls it."""
        return {}

    @abstractmethod
    def read(self, indices: NDArray[np.int64], parts: Sequence[Part] | None = None) -> tuple[Images, NDArray[np.bool_]]:
        """The images `[n, height, width, channels]` of 0 to 255, and which of them could be read.

        `parts` asks for a part of each, resized to the frame.
        """


class ArrayDataset(Dataset):
    """Images in memory, `[N, height, width, channels]` of 0 to 255, all of one size."""

    def __init__(self, name: str, classes: Sequence[str], images: Images, labels: Labels, frame: Frame) -> None:
        super().__init__(name, classes, labels, images.shape[-1], frame)
        self._images = images
        small = len(images) * frame.bytes <= RESIZE_AT_ONCE
        self._placed: Images | None = frame.place_all(images) if small or frame.fits(images.shape[1:]) else None

    def read(self, indices: NDArray[np.int64], parts: Sequence[Part] | None = None) -> tuple[Images, NDArray[np.bool_]]:
        if parts is not None:
            chosen = zip(indices, parts, strict=True)
            images = np.stack([self.frame.part(picture_of(self._images[i]), part) for i, part in chosen])
        elif self._placed is not None:
            images = self._placed[indices]
        else:
            images = self.frame.place_all(self._images[indices])
        return images, np.ones(len(indices), bool)

    def first(self, limit: int) -> ArrayDataset:
        """The same set with only its first `limit` images."""
        return ArrayDataset(self.name, self.classes, self._images[:limit], self.labels[:limit], self.frame)
