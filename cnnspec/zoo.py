"""Where the specs of the zoo are, and how a name finds one."""

from __future__ import annotations

from functools import cache
from pathlib import Path


@cache
def zoo_folder() -> Path:
    """The folder of the zoo: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "specs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "specs"


def zoo_specs() -> list[Path]:
    """Every spec of the zoo, by name."""
    return sorted(zoo_folder().glob("*.yaml"))


def find_spec(name: str, folder: Path | None = None) -> Path | None:
    """The file that `name` means: a path (relative to `folder`), or a bare name or file name of the zoo."""
    try:
        candidates = [(folder or Path()) / name]
        if "/" not in name and "\\" not in name:
            candidates += [zoo_folder() / name, zoo_folder() / f"{name}.yaml"]
        return next((c for c in candidates if c.is_file()), None)
    except (OSError, ValueError):  # a name too long, or with a NUL
        return None
