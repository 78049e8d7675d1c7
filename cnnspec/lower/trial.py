"""Tries a network by oneDNN in a process of its own, which may end badly or never, and times it beside the portable program.

`python -m cnnspec.lower.trial` is that process; it is told what to do on its standard input, as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from cnnspec.compiled import Compiled
from cnnspec.lower.forms.memory import Memory

#: Seconds after which a trial is given up, and for which each way is run in it.
PATIENCE, LONG = 120.0, 0.5
#: How far the outputs may lie apart, as a share of the largest number.
TOLERANCE = 5e-5


def attempt(compiled: Compiled, batch: int, tiles: Sequence[int], memory: Memory) -> dict[str, float] | None:
    """The seconds of a batch by the portable program (`"portable"`) and by oneDNN in each tile (`"4"`).

    `None` where oneDNN did not come to an end, failed, or gave other outputs.
    """
    task = {"spec": compiled.loaded.expanded, "batch": batch, "tiles": list(tiles), "memory": asdict(memory)}
    command = [sys.executable, "-m", "cnnspec.lower.trial"]
    try:
        done = subprocess.run(
            command, input=json.dumps(task), capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        return None
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _run(task: Mapping[str, Any]) -> dict[str, float]:
    """What `attempt` gives, in the process of the trial; raises where the outputs differ."""
    import jax
    import numpy as np

    from cnnspec.frontend import load_spec
    from cnnspec.lower.forms.measure import in_turns, random_array
    from cnnspec.lower.forms.memory import from_json

    compiled = Compiled(load_spec(task["spec"]), memory=from_json({**task["memory"], "native": {}}))
    prepared = compiled.prepare(*compiled.init())
    inputs = {e.name: jax.device_put(random_array((task["batch"], *e.type.shape))) for e in compiled.infer_graph.inputs}
    ways = {"portable": partial(compiled.infer, prepared, inputs)}
    ways |= {str(tile): partial(compiled.native, prepared, inputs, tile) for tile in task["tiles"]}
    expected = {name: np.asarray(output) for name, output in ways["portable"]().items()}
    for way in ways.values():
        for name, output in way().items():
            worst = np.abs(np.asarray(output) - expected[name]).max()
            if not worst <= TOLERANCE * np.abs(expected[name]).max():
                raise ArithmeticError(f"the output `{name}` is {worst:.3g} off")
    return in_turns(ways, LONG, 3)


if __name__ == "__main__":
    print(json.dumps(_run(json.load(sys.stdin))))
