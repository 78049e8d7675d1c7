"""`python -m cnnspec` is the `cnnspec` command."""

from cnnspec.cli.main import main

main(prog_name="cnnspec")
