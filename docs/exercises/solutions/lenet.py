"""LeNet on the digits: with the functions of its time, with later ones, and without augmentation."""

from __future__ import annotations

from typing import Any

from measuring import last_epoch, options, show, trained

from cnnspec.cli.output import Table

VARIANTS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("tanh, average pooling", {}, {}),
    ("relu, max pooling", {"act": "relu", "pool": "max_pool"}, {}),
    ("tanh, average pooling, no augmentation", {}, {"augment": {}}),
)


def main() -> None:
    chosen = options(__doc__)
    table = Table(["network", "training %", "held-out %", "held-out loss"], right=(1, 2, 3))
    for number, (name, settings, overrides) in enumerate(VARIANTS[:1] if chosen.quick else VARIANTS):
        done = trained(f"lenet-{number}", "lenet", chosen, overrides, set=settings)
        table.add(
            name,
            f"{100 * last_epoch(done)['accuracy']:.1f}",
            f"{100 * done.metrics['top1']:.2f}",
            f"{done.metrics['loss']:.4f}",
        )
    show(table, "lenet.md", chosen)


if __name__ == "__main__":
    main()
