"""`python -m tests.parity.photograph`: what a user does with a peer's weights and photographs, beside the peer itself.

torchvision's VGG-16 and ResNet-50 are saved as a `.pth` file; `cnnspec weights import` reads it, `cnnspec compile --weights`
makes an artefact, and `cnnspec run --raw` runs that on two photographs, each command in a process of its own. Beside its
logits stand torchvision's: the same weights, and the photographs through its own transforms. `--store` writes them, and
without torch the comparison is with what is stored.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.photographs import write_photographs
from cnnspec.weights.synthetic import synthetic_weights
from tests.parity.pairs import FOLDER, TOLERANCE, VARIATION, Pair, compiled, difference, pairs, variation
from tests.parity.peers import torchvision, with_our_weights

NETWORKS = ("vgg16", "resnet50")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=NETWORKS, help="one of the networks")
    parser.add_argument("--store", action="store_true", help="write torchvision's logits down")
    arguments = parser.parse_args()
    live = find_spec("torch") is not None
    failed = 0
    for pair in compared_networks():
        if arguments.only not in (None, pair.spec):
            continue
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = compare(pair, Path(folder), live=live)
        reached = difference(ours, theirs)
        right = reached <= TOLERANCE and variation(theirs) >= VARIATION
        failed += not right
        peer = "torchvision" if live else "torchvision's stored logits"
        print(
            f"{pair.spec} on two photographs: {reached:.1e} of the largest logit from {peer}{'' if right else '  FAILED'}"
        )
        if arguments.store and live and right:
            stored(pair).parent.mkdir(exist_ok=True)
            np.save(stored(pair), theirs)
    return 1 if failed else 0


def compared_networks() -> list[Pair]:
    """VGG-16 and ResNet-50, beside torchvision's."""
    return [pair for pair in pairs() if pair.spec in NETWORKS and pair.peer == "torchvision"]


def stored(pair: Pair) -> Path:
    """The file of torchvision's logits on the photographs."""
    return FOLDER / "photographs" / f"{pair.spec}.npy"


def compare(pair: Pair, folder: Path, *, live: bool) -> tuple[np.ndarray, np.ndarray]:
    """The logits of the commands on the photographs, and torchvision's, recomputed (`live`) or as they are stored."""
    photographs = write_photographs(folder)
    weights, artefact = folder / "weights.safetensors", folder / "artefact"
    if live:
        model = with_our_weights(pair)
        _save(model, folder / "peer.pth")
        theirs = _through(model, photographs)
        del model
        _cnnspec("weights", "import", pair.spec, folder / "peer.pth", "--from", "torchvision", "--output", weights)
    else:
        from safetensors.numpy import save_file

        save_file(synthetic_weights(compiled(pair).graph, gain=pair.gain), weights)
        theirs = np.load(stored(pair))
    _cnnspec("compile", pair.spec, "--weights", weights, "--output", artefact)
    rows = json.loads(_cnnspec("run", artefact, *photographs, "--raw"))
    return np.asarray([row["logits"] for row in rows], np.float32), theirs


def _save(model: Any, path: Path) -> None:
    import torch

    torch.save(model.state_dict(), path)


def _through(model: Any, photographs: list[Path]) -> np.ndarray:
    """The logits of torchvision's network, of photographs prepared as torchvision prepares them for its own weights."""
    import torch
    from PIL import Image

    torchvision()
    from torchvision.transforms._presets import ImageClassification

    prepare = ImageClassification(crop_size=224, resize_size=256, antialias=True)
    batch = torch.stack([prepare(Image.open(path).convert("RGB")) for path in photographs])
    with torch.no_grad():
        return np.asarray(model(batch).numpy(), np.float32)


def _cnnspec(*arguments: object) -> str:
    """What a command prints. **Errors**: `RuntimeError` with what it says where it fails."""
    command = [sys.executable, "-m", "cnnspec", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"cnnspec {' '.join(command[3:])} failed:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
