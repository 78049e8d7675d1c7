"""The wheel by itself: the zoo, the pages on errors, and the recipes travel in it."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_what_the_package_looks_for_inside_itself_is_put_there() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {inside.removeprefix("cnnspec/") for inside in wheel["force-include"].values()} == {
        "specs", "errors", "recipes", "facts.yaml",
    }  # fmt: skip
    assert all((ROOT / outside).exists() for outside in wheel["force-include"])


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `cnnspec` of a wheel that was just built, in an environment that sees the other packages of this one only."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if built.returncode and "hatchling" in built.stderr:
        pytest.skip("hatchling, which builds the wheel, cannot be fetched here")
    assert built.returncode == 0, built.stderr
    venv.create(folder / "venv", with_pip=False)
    bin_folder = folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    packages = subprocess.run(
        [bin_folder / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", packages, wheel], check=True
    )
    # The other packages come after the wheel's own; an editable install of this one among them is not followed.
    (Path(packages) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return bin_folder / "python"


@pytest.mark.slow
def test_the_commands_of_the_wheel_find_all_that_they_need(installed: Path, tmp_path: Path) -> None:
    def cnnspec(*arguments: str) -> str:
        done = subprocess.run(
            [installed, "-m", "cnnspec", *arguments], capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    place = subprocess.run(
        [installed, "-c", "import cnnspec; print(cnnspec.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert not Path(place.stdout.strip()).is_relative_to(ROOT)
    assert "25,557,032 params" in cnnspec("check", "resnet50", "vgg16.yaml")
    assert cnnspec("explain", "E203").startswith("# E203")
    assert "lenet5 " in cnnspec("list", "--family", "lenet")
    assert "default" in cnnspec("recipes")
    cnnspec("chart", "efficientnet_b0", "--output", "chart.png")
    assert (tmp_path / "chart.png").exists()
    cnnspec("new", "my_net.yaml")
    assert "my_net.yaml: ok" in cnnspec("check", "my_net.yaml")
    assert "60,000 params" in cnnspec("compile", "lenet5")
    assert (tmp_path / "lenet5" / "manifest.json").exists()
