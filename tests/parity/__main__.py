"""`python -m tests.parity`: recompute every comparison live, and print what was reached.

`--store` writes the peers' logits for the everyday tests, and the differences reached to `reached.json`, from which
`docs/zoo.md` takes them; `--only resnet` takes the pairs whose name holds the word. `--stored` compares with the stored
logits instead, and needs no peer; with `--missing` only those pairs of which no difference is written down.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from cnnspec.diagnostics import SpecError
from tests.parity.pairs import TOLERANCE, VARIATION, compiled, difference, our_logits, pairs, variation
from tests.parity.peers import peer_logits
from tests.parity.reached import proven, read_reached, write_reached


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help="write the peers' logits for the everyday tests")
    parser.add_argument("--only", default="", help="a part of the name of the pairs to compare")
    parser.add_argument("--stored", action="store_true", help="compare with the stored logits, and write down how well")
    parser.add_argument("--missing", action="store_true", help="only pairs of which no difference is written down")
    parser.add_argument(
        "--count", action="store_true", help="only say how many networks are proven by what is written down"
    )
    arguments = parser.parse_args()
    if arguments.count:
        print(proven())
        return 0
    failed, compared = 0, 0
    print(f"{'pair':44} {'difference':>11} {'between inputs':>15}")
    for pair in pairs():
        if arguments.only not in pair.name or (arguments.missing and pair.name in read_reached()):
            continue
        if arguments.stored and not pair.stored.exists():
            print(f"{pair.name:44} not stored")
            continue
        compared += 1
        try:
            theirs = np.load(pair.stored) if arguments.stored else peer_logits(pair)
            reached = difference(our_logits(compiled(pair), pair), theirs)
        except (SpecError, ValueError, RuntimeError) as error:
            failed += 1  # of ours or of the peer's: the others are still compared
            print(f"{pair.name:44} FAILED {error}", flush=True)
            continue
        right = reached <= TOLERANCE and variation(theirs) >= VARIATION
        failed += not right
        note = "" if right else "  FAILED"
        if pair.stored.exists() and not arguments.store:
            drift = difference(np.load(pair.stored), theirs)
            note += "" if drift <= TOLERANCE else f"  the stored logits differ by {drift:.1e}"
        print(f"{pair.name:44} {reached:11.1e} {variation(theirs):15.2f}{note}", flush=True)
        if arguments.store and right:
            np.save(pair.stored, theirs.astype(np.float32))
        if (arguments.store or arguments.stored) and right:
            write_reached(pair.name, reached)
    print(f"{compared - failed} of {compared} pairs agree within {TOLERANCE:.0e} of the largest logit")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
