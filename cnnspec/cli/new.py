"""`cnnspec new`."""

from __future__ import annotations

import re
from pathlib import Path

import click

STARTER = """\
cnnspec: 1                                  # version of the language
name: {name}
description: A small network for images of 32x32 pixels.

# What comes in. `preprocess` says how an image file becomes this input.
input: {{height: 32, width: 32, channels: 3, preprocess: {{resize: 32, crop: 32}}}}

# Values that may be changed from outside: cnnspec check {file} --set classes=100
params:
  classes: 10                               # a default says the type, too
  width: {{type: int, default: 32, min: 8, doc: channels of the first stage}}

# Fields that every block of a kind has, unless it says otherwise.
defaults:
  conv: {{kernel: 3, norm: batch, act: relu}}

# A block of your own: used below like a built-in one. `input.channels` is what comes in.
blocks:
  double:
    params: {{filters: int}}
    layers:
      - conv: {{filters: $filters}}
      - conv: {{filters: $filters}}

# One node a line, each behind the one before; `id` names it and its weights, `from` takes another input.
layers:
  - {{id: stem, conv: {{filters: $width}}, expect: [32, 32, "${{width}}"]}}
  - {{id: stage1, double: {{filters: $width}}}}
  - max_pool: 2
  - {{id: stage2, repeat: 2, basic: {{filters: "${{2 * width}}"}}}}         # two residual blocks
  - max_pool: 2
  - {{id: left, conv: {{filters: 64, kernel: 1}}}}
  - {{id: right, from: stage2, conv: {{filters: 64, stride: 2}}}}
  - concat: [left, right]                   # branches join; `add` and `multiply` do, too
  - global_avg_pool
  - dropout: 0.2
  - {{id: classifier, linear: {{features: $classes}}}}

outputs: {{logits: classifier}}

# What you know of the network from elsewhere is enforced: the shape here, and `params` and `macs` from a paper.
expect: {{output: ["${{classes}}"]}}
"""


@click.command(name="new")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite a file that is there.")
def command(file: Path, force: bool) -> None:
    """Write a starter: a small network with comments, which checks, compiles and trains as it is.

    \b
    cnnspec new my_net.yaml
    cnnspec check my_net.yaml
    """
    path = file if file.suffix else file.with_suffix(".yaml")
    name = re.sub(r"\W+", "_", path.stem).strip("_") or "network"
    try:
        with path.open("w" if force else "x", encoding="utf-8") as handle:
            handle.write(STARTER.format(name=name, file=path))
    except FileExistsError:
        raise click.UsageError(f"{path} is there already; --force overwrites it") from None
    except OSError as error:
        raise click.UsageError(f"cannot write {path}: {error.strerror or error}") from None
    click.echo(f"{path}: now `cnnspec check {path}`, `cnnspec summary {path}`, `cnnspec train {path}`")
