"""The file of results: JSON, written whole after every row, so that what was measured is never lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnspec.files import written_whole

FORMAT = 1
Row = dict[str, Any]


class Results:
    """Rows by section and key, and for each section where and when it was measured."""

    def __init__(self, path: Path, keep: bool) -> None:
        """`keep`: go on with what the file holds; otherwise a section that is measured begins anew."""
        self.path, self.keep = path, keep
        self.sections: dict[str, dict[str, Any]] = {}
        if path.exists():
            self.sections = _read(path)

    def begin(self, section: str, run: dict[str, Any]) -> None:
        """Note where a section is measured; `run` says it."""
        kept = self.sections.get(section, {"rows": {}, "runs": []}) if self.keep else {"rows": {}, "runs": []}
        self.sections[section] = {"rows": kept["rows"], "runs": [*kept["runs"], run]}

    def rows(self, section: str) -> dict[str, Row]:
        """The rows of a section by key."""
        return dict(self.sections.get(section, {}).get("rows", {}))

    def runs(self, section: str) -> list[dict[str, Any]]:
        """Where and when the rows of a section were measured; more than one where a run was resumed."""
        return list(self.sections.get(section, {}).get("runs", []))

    def put(self, section: str, key: str, row: Row) -> None:
        """Keep a row, at once."""
        self.sections[section]["rows"][key] = row
        self.save()

    def end(self, section: str, load: float) -> None:
        """Note the load after the last row; a run that gave none is forgotten."""
        self.sections[section]["runs"][-1]["load_after"] = load
        self.save()

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(self.path) as beside:
            beside.write_text(self._text(), encoding="utf-8")

    def _text(self) -> str:
        """JSON with a row a line."""
        parts = []
        for name, section in self.sections.items():
            rows = ",\n".join(f"   {json.dumps(key)}: {json.dumps(row)}" for key, row in section["rows"].items())
            parts.append(f'  {json.dumps(name)}: {{"runs": {json.dumps(section["runs"])}, "rows": {{\n{rows}\n  }}}}')
        return f'{{"benchmarks": {FORMAT}, "sections": {{\n' + ",\n".join(parts) + "\n}}\n"


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The sections of a file; ends the program where it is something else, which must not be overwritten."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["benchmarks"] == FORMAT:
            return dict(found["sections"])
    except (ValueError, KeyError, TypeError):
        pass
    raise SystemExit(f"{path} is there already and holds no results of this version: name another file with --json")
