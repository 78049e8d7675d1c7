"""From a file to its text."""

from __future__ import annotations

from pathlib import Path

from cnnspec.diagnostics import Report, Source, Span, did_you_mean
from cnnspec.zoo import zoo_specs

MOST_BYTES = 2**20

#: How files begin that are not meant to be read as text, and what they are.
_KINDS = {
    b"\x89PNG": "a PNG image", b"\xff\xd8\xff": "a JPEG image", b"GIF8": "a GIF image", b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive", b"%PDF": "a PDF document", b"\x7fELF": "a program", b"\x80\x04\x95": "a Python pickle",
}  # fmt: skip


def read(path: Path, report: Report) -> Source | None:
    """The text of a file; reports E001, E002 or E006 where it cannot be had."""
    name = _shown(path)
    try:
        if path.is_file() and path.stat().st_size > MOST_BYTES:
            size = path.stat().st_size / 2**20
            report.error("E006", f"{name} has {size:.1f} MiB, and a spec may have {MOST_BYTES // 2**20} MiB", None,
                         "say what recurs once, with `repeat` or `blocks:`; or is this another file?")  # fmt: skip
            return None
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        report.error("E001", f"cannot read {name}: {reason.lower()}", None, _nearby(path))
        return None
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        report.error("E002", *_not_text(name, data, error))
        return None


def _shown(path: Path) -> str:
    """A path as it is shown: relative, where it is in the folder that one is in."""
    try:
        return str(path.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)


def _not_text(name: str, data: bytes, error: UnicodeDecodeError) -> tuple[str, Span | None, str]:
    """What to say of a file that is not UTF-8: the message, the place of the first wrong byte, and the help."""
    kind = next((kind for start, kind in _KINDS.items() if data.startswith(start)), None)
    if kind is not None:
        return f"{name} is {kind}, not text", None, "name a YAML file"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return f"{name} is UTF-16, and a spec is UTF-8", None, "save it as UTF-8"
    if b"\0" in data:
        return f"{name} is not text: it holds bytes of zero", None, "name a YAML file"
    before = data[: error.start].decode("utf-8-sig")
    source = Source(name, data.decode("utf-8-sig", "replace"))
    message = f"the byte 0x{data[error.start]:02X} is not UTF-8"
    return message, source.span(len(before), len(before) + 1), "save the file as UTF-8"


def _nearby(path: Path) -> str:
    """Help with a name that leads nowhere: the nearest file of its folder, or else the nearest of the zoo."""
    try:
        if path.is_dir():
            inside = sorted(p.name for p in path.glob("*.yaml"))
            return f"name a file in it: {path / inside[0]}" if inside else "name a YAML file"
        names = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    except OSError:
        names = []
    if f"{path.name}.yaml" in names:
        return f"did you mean `{path.name}.yaml`?"
    zoo = did_you_mean(path.stem, [p.stem for p in zoo_specs()]) if len(path.parts) == 1 else ""
    return did_you_mean(path.name, names) or zoo or "`cnnspec list` shows the specs of the zoo"
