"""`python -m benchmarks.processes.in_process WHAT SPEC`: the seconds of one thing that happens in a process, as JSON.

`shapes` reads and checks a spec, `values` makes its initial values; neither counts what is imported.
"""

from __future__ import annotations

import json
import sys
import time

import cnnspec
import cnnspec.frontend


def main() -> None:
    what, spec = sys.argv[1:]
    if what == "shapes":
        begin = time.perf_counter()
        cnnspec.load_spec(spec)
    else:
        network = cnnspec.compile(spec)
        begin = time.perf_counter()
        network.init()
    print(json.dumps({"seconds": time.perf_counter() - begin}))


if __name__ == "__main__":
    main()
