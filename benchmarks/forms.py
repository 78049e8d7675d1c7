"""`python -m benchmarks.forms`: the time of every form of every convolution and pool of some networks, on this machine.

Beside the fastest stands what `cnnspec.lower.forms.choose` decides without measuring, and what that costs over it.
"""

from __future__ import annotations

import argparse

from cnnspec.cli.output import Table
from cnnspec.frontend import load_spec
from cnnspec.graph import Graph, Node
from cnnspec.lower.forms.choose import choose
from cnnspec.lower.forms.measure import candidates, measure
from cnnspec.lower.forms.memory import signature
from cnnspec.lower.xla import compiler_options
from cnnspec.passes.pipeline import run_passes

NETWORKS = ["resnet50", "mobilenet_v2", "resnext50_32x4d", "googlenet", "efficientnet_b0", "densenet121",
            "shufflenet_v2_x1_0", "vgg16", "squeezenet1_1"]  # fmt: skip


def distinct(graph: Graph, train: bool) -> dict[str, tuple[Node, int]]:
    """The nodes that have a choice, one a signature, and how often each occurs."""
    found: dict[str, tuple[Node, int]] = {}
    for node in graph.nodes:
        inputs = graph.types_into(node)
        if len(candidates(node, inputs, train)) > 1:
            key = signature(node, inputs)
            found[key] = (node, found.get(key, (node, 0))[1] + 1)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--train", action="store_true", help="forward and gradients")
    arguments = parser.parse_args()
    table = Table(["convolution or pool", "times", "ms in each form", "chosen", "over the fastest"], right=(1, 4))
    options = compiler_options(arguments.train)
    seen: set[str] = set()
    chosen_total = fastest_total = 0.0
    for name in arguments.networks:
        graph = run_passes(load_spec(name).graph, "train" if arguments.train else "infer")[-1].graph
        for key, (node, count) in distinct(graph, arguments.train).items():
            if key in seen:
                continue
            seen.add(key)
            inputs = graph.types_into(node)
            forms = candidates(node, inputs, arguments.train)
            times = measure(node, inputs, forms, arguments.batch, arguments.train, options)
            chosen = choose(node, inputs, train=arguments.train).form
            fastest = min(times.values())
            chosen_total += count * times[chosen]
            fastest_total += count * fastest
            listed = "  ".join(
                f"{form} {1e3 * seconds:.3f}" for form, seconds in sorted(times.items(), key=lambda f: f[1])
            )
            table.add(f"{name} {key}", count, listed, chosen, f"{times[chosen] / fastest:.2f}")
            print(table.rows[-1], flush=True)
    print(table.plain())
    print(f"\nchosen over fastest, all together: {chosen_total / fastest_total:.3f}")


if __name__ == "__main__":
    main()
