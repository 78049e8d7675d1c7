"""AlexNet learns 256 crops by heart: the file, the loader, the loop and the gradients are right."""

from __future__ import annotations

from measuring import options, show, trained

from cnnspec.cli.output import Table
from cnnspec.training.records import read_events


def main() -> None:
    chosen = options(__doc__)
    done = trained("alexnet", "alexnet", chosen, {})
    table = Table(["epoch", "loss", "top-1 %", "top-5 %"], right=range(4))
    for event in read_events(done.folder):
        if event["kind"] == "evaluation":
            table.add(
                f"{event['epoch']:.0f}",
                f"{event['loss']:.4f}",
                f"{100 * event['top1']:.2f}",
                f"{100 * event['top5']:.2f}",
            )
    show(table, "alexnet.md", chosen)


if __name__ == "__main__":
    main()
