"""Write what is said of every broken spec anew: `python -m tests.broken`. Read the differences before they are kept."""

from __future__ import annotations

from tests.broken.saying import EXPECTED, SPECS, said

if __name__ == "__main__":
    for path in SPECS:
        (EXPECTED / f"{path.stem}.txt").write_text(said(path), encoding="utf-8")
