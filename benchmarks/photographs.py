"""`python -m benchmarks.photographs FOLDER`: write the two photographs that come with scikit-learn as JPEG files."""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image
from sklearn.datasets import load_sample_images


def write_photographs(folder: Path) -> list[Path]:
    """The photographs, as files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for name, pixels in zip(("china", "flower"), load_sample_images().images, strict=True):
        found.append(folder / f"{name}.jpg")
        Image.fromarray(pixels).save(found[-1], quality=95)
    return found


if __name__ == "__main__":
    for path in write_photographs(Path(sys.argv[1])):
        print(path)
