"""Plain and residual networks of 20 and 56 layers on the digits: does depth help or hurt?"""

from __future__ import annotations

from measuring import HERE, last_epoch, options, show, trained

from cnnspec.cli.output import Table

NETWORKS = ("plain20_cifar", "plain56_cifar", "resnet20_cifar", "resnet56_cifar")


def main() -> None:
    chosen = options(__doc__)
    table = Table(["network", "training loss", "training %", "held-out %"], right=(1, 2, 3))
    for name in NETWORKS:
        small = {"n": 1} if chosen.quick else {}
        done = trained(f"residual-{name}", name, chosen, {}, recipe=HERE / "residual.recipe.yaml", set=small)
        seen = last_epoch(done)
        table.add(name, f"{seen['loss']:.3f}", f"{100 * seen['accuracy']:.1f}", f"{100 * done.metrics['top1']:.2f}")
    show(table, "residual.md", chosen)


if __name__ == "__main__":
    main()
