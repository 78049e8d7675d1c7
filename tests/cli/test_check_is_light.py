"""`cnnspec check` answers without the libraries that compute."""

from __future__ import annotations

import subprocess
import sys


def test_checking_imports_no_jax() -> None:
    code = (
        "import sys\nfrom click.testing import CliRunner\nfrom cnnspec.cli.main import main\n"
        "done = CliRunner().invoke(main, ['check', 'lenet5'])\n"
        "assert done.exit_code == 0, done.output\n"
        "print(sorted({'jax', 'jaxlib', 'flax', 'optax', 'onnx'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
