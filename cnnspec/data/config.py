"""What a recipe says about its images: the dataset, and how they are augmented."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from cnnspec.fields import Fraction, Positive, Size
from cnnspec.schema import Spec

DatasetName = Literal["digits", "mnist", "fashion_mnist", "idx", "cifar10", "cifar100", "folder", "photographs"]

#: Sets that come along with a library: they have no files of the user's.
EMBEDDED = ("digits",)


class Part(Spec):
    """A part of a recipe: its numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class DatasetConfig(Part):
    """Where the images are and how they fill the network's input."""

    name: DatasetName = Field(
        "digits",
        description="`digits`: the 1797 handwritten ones that ship with scikit-learn; `mnist`, `fashion_mnist` and "
        "`idx`: files in MNIST's format; `cifar10`, `cifar100`: their binary format; `folder`: a folder a class; "
        "`photographs`: crops of scikit-learn's two photographs, written in CIFAR-100's format",
    )
    path: str | None = Field(None, description="folder of the files; the public sets are looked for in the cache too")
    download: bool = Field(False, description="fetch a public set that is not there")
    fit: Literal["stretch", "pad", "crop"] | None = Field(
        None, description="how an image fills the input: `stretch` resizes it, `pad` resizes it to `size` and puts it "
        "on black, `crop` resizes its shorter side to `size` and takes the centre; `crop` for folders, else `stretch`",
    )  # fmt: skip
    size: Size | None = Field(
        None, description="pixels before padding or cropping; by default the input's, for `crop` as the spec's "
        "`preprocess` says, or 8/7 of it",
    )  # fmt: skip
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos"] | None = Field(
        None, description="of resizing; by default the spec's, or bilinear"
    )
    held_out: Fraction = Field(0.2, description="share held out for evaluation where the set has no split of its own")
    labels: Literal["fine", "coarse"] = Field("fine", description="CIFAR-100's 100 classes or its 20 groups")
    grey: bool = Field(False, description="turn colour images into grey ones, for a network of one channel")
    corrupt: Literal["skip", "fail"] = Field("fail", description="what an image that cannot be read does")
    limit: Size | None = Field(None, description="take only the first so many images of every split")

    @model_validator(mode="after")
    def _files(self) -> DatasetConfig:
        if self.name in EMBEDDED and (self.path is not None or self.download):
            raise PydanticCustomError("dataset_embedded", f"has no files to look for: `{self.name}` comes along")
        return self


def _range(value: Any) -> tuple[float, float]:
    if not isinstance(value, list | tuple) or len(value) != 2 or not all(isinstance(v, int | float) for v in value):
        raise PydanticCustomError("range_type", "should be a pair [least, most] of numbers")
    if not 0 < value[0] <= value[1]:
        raise PydanticCustomError("range_order", "should be a pair [least, most] with 0 < least <= most")
    return (float(value[0]), float(value[1]))


Range = Annotated[
    tuple[float, float],
    BeforeValidator(_range),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "number", "exclusiveMinimum": 0}, "minItems": 2, "maxItems": 2}),
]
"""A pair [least, most] of positive numbers."""


class ResizedCrop(Part):
    """A part of random area and aspect ratio, resized to the input (Szegedy and others 2014, section 6)."""

    area: Range = Field((0.08, 1.0), description="share of the image's area, least and most")
    ratio: Range = Field((0.75, 4 / 3), description="width over height, least and most")

    @model_validator(mode="after")
    def _within(self) -> ResizedCrop:
        if self.area[1] > 1:
            raise PydanticCustomError("crop_area", "cannot take more than the whole image: `area` is at most 1")
        return self


class Affine(Part):
    """A small random shift, rotation, scaling and shear, the same for all channels of an image."""

    shift: float = Field(0.0, ge=0.0, description="pixels, most, along each axis")
    rotate: float = Field(0.0, ge=0.0, le=180.0, description="degrees, most, either way")
    scale: Range = Field((1.0, 1.0), description="factor on the size, least and most")
    shear: float = Field(0.0, ge=0.0, le=60.0, description="degrees, most, either way")


class Colour(Part):
    """Random brightness, contrast and saturation, by factors of 1 - value to 1 + value, and lighting."""

    brightness: Fraction = Field(0.0, description="of the factor on all values")
    contrast: Fraction = Field(0.0, description="of the factor on the distance from the mean grey")
    saturation: Fraction = Field(0.0, description="of the factor on the distance from the pixel's own grey")
    lighting: Fraction = Field(0.0, description="standard deviation along the principal components of natural colours "
                               "(Krizhevsky 2012, section 4.1)")  # fmt: skip


class Augmentation(Part):
    """What happens to an image of a training batch, in this order."""

    resized_crop: ResizedCrop | None = Field(None, description="a random part, resized to the input")
    random_resize: Range | None = Field(
        None, description="pixels of the shorter side, least and most, before a random crop of the input's size"
    )
    crop: Size | None = Field(
        None, description="pixels of padding on every side before a random crop of the input's size"
    )
    affine: Affine | None = Field(None, description="shift, rotate, scale, shear")
    flip: bool = Field(False, description="mirror half of the images left to right")
    colour: Colour | None = Field(None, description="brightness, contrast, saturation")
    fill: int = Field(0, ge=0, le=255, description="value of pixels that come from outside")

    @model_validator(mode="after")
    def _one_part(self) -> Augmentation:
        if self.resized_crop is not None and self.random_resize is not None:
            raise PydanticCustomError("two_parts", "has both `resized_crop` and `random_resize`")
        return self


class Loading(Part):
    """How batches are made beside the training step."""

    threads: Size | None = Field(None, description="threads that make batches; 2, or 8 for folders")
    processes: int = Field(0, ge=0, description="processes that make batches; 0 leaves it to the threads")
    prefetch: Size = Field(8, description="batches made ahead")


class Mixing(Part):
    """Pairs of images mixed together with their labels."""

    mixup: Positive | None = Field(
        None, description="alpha of the Beta distribution of the share (Zhang 2017, 1710.09412)"
    )
    cutmix: Positive | None = Field(
        None, description="alpha of the Beta distribution of the area (Yun 2019, 1905.04899)"
    )
