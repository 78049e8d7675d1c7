"""`python -m tests.parity`: recompute every comparison live, and print what was reached.

`--store` writes the peers' logits for the everyday tests; `--only resnet` takes the pairs whose name holds the word.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np

from tests.parity.pairs import TOLERANCE, compiled, difference, our_logits, pairs, variation
from tests.parity.peers import peer_logits


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", action="store_true", help="write the peers' logits for the everyday tests")
    parser.add_argument("--only", default="", help="a part of the name of the pairs to compare")
    arguments = parser.parse_args()
    failed, compared = 0, 0
    print(f"{'pair':44} {'difference':>11} {'between inputs':>15}")
    for pair in pairs():
        if arguments.only not in pair.name:
            continue
        theirs = peer_logits(pair)
        reached = difference(our_logits(compiled(pair), pair), theirs)
        compared += 1
        right = reached <= TOLERANCE and variation(theirs) > 20 * reached
        failed += not right
        note = "" if right else "  FAILED"
        if pair.stored.exists() and not arguments.store:
            drift = difference(np.load(pair.stored), theirs)
            note += "" if drift <= TOLERANCE else f"  the stored logits differ by {drift:.1e}"
        print(f"{pair.name:44} {reached:11.1e} {variation(theirs):15.2f}{note}", flush=True)
        if arguments.store and right:
            np.save(pair.stored, theirs.astype(np.float32))
    print(f"{compared - failed} of {compared} pairs agree within {TOLERANCE:.0e} of the largest logit")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
