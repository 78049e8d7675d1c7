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
    """The folder of a dataset's files. **Errors**: E850 where there is none."""
    if config.path is not None:
        folder = Path(config.path).expanduser()
        if not folder.is_dir():
            raise Problem("E850", f"there is no folder {config.path}", _help(config), field="path")
        return folder
    if config.name not in PUBLIC:
        raise Problem("E850", f"the dataset `{config.name}` needs a folder", "give its `path`", field="name")
    folder = cache_folder(config.name)
    if config.download:
        from cnnspec.data.download import fetch

        fetch(config.name, folder)
    if not folder.is_dir():
        raise Problem(
            "E850", f"the files of {config.name} are not here: {folder} does not exist", _help(config), field="name"
        )
    return folder


def first_file(folder: Path, names: Sequence[str], config: DatasetConfig) -> Path:
    """The first of `names` that stands in `folder` or in a folder of it. **Errors**: E850."""
    for place in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        for name in names:
            if (place / name).is_file():
                return place / name
    raise Problem(
        "E850", f"{folder} holds none of {listing(names)}", _help(config), field="path" if config.path else "name"
    )


def _help(config: DatasetConfig) -> str:
    if config.name in PUBLIC:
        return "give the folder as `path`, or let it be fetched with `download: true` (`--download`)"
    return "check the path"
