"""Where the files of a dataset are: the folder that was given, or the user's cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cnnspec.data.config import DatasetConfig
from cnnspec.diagnostics import Problem, listing

#: Sets with a publisher to fetch them from.
PUBLIC = ("mnist", "fashion_mnist", "cifar10", "cifar100")


def cache_folder(name: str) -> Path:
    """Where a public set is kept once fetched."""
    from platformdirs import user_cache_path

    return user_cache_path("cnnspec") / "data" / name


def data_folder(config: DatasetConfig) -> Path:
    """The folder of a dataset's files, fetched where the recipe asks for it. **Errors**: E850 where there is none, E856."""
    if config.path is None and config.name not in PUBLIC:
        raise Problem("E850", f"the dataset `{config.name}` needs a folder", "give its `path`", field="dataset.name")
    folder = cache_folder(config.name) if config.path is None else Path(config.path).expanduser()
    if config.download and config.name in PUBLIC:
        from cnnspec.data.download import fetch

        fetch(config.name, folder)
    if not folder.is_dir():
        where = "dataset.name" if config.path is None else "dataset.path"
        raise Problem("E850", f"there is no folder {folder}", _help(config), field=where)
    return folder


def first_file(folder: Path, names: Sequence[str], config: DatasetConfig) -> Path:
    """The first of `names` that stands in `folder` or one or two folders below it. **Errors**: E850."""
    for place in (folder, *sorted(folder.glob("*/")), *sorted(folder.glob("*/*/"))):
        for name in names:
            if (place / name).is_file():
                return place / name
    where = "dataset.path" if config.path else "dataset.name"
    raise Problem("E850", f"{folder} holds none of {listing(names)}", _help(config), field=where)


def _help(config: DatasetConfig) -> str:
    if config.name in PUBLIC:
        return "give the folder as `path`, or let it be fetched with `download: true` (`--download`)"
    return "check the path"
