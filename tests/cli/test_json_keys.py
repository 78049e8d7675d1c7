"""What `--json` prints has the keys of docs/commands.md, all of them, and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import call

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
NET = """cnnspec: 1
name: net
params: {n: {type: int, default: 3, min: 1, max: 4}}
input: {height: 8, width: 8, channels: 1}
layers:
  - {id: c1, conv: {filters: $n, kernel: 3, act: relu}}
  - flatten
  - {id: fc, linear: {features: 10}}
"""


def documented() -> dict[str, list[str]]:
    """The keys of each heading of the page."""
    found: dict[str, list[str]] = {}
    for part in re.split(r"^### ", PAGE.read_text("utf-8"), flags=re.M)[1:]:
        heading, _, body = part.partition("\n")
        rows = [line.split("|")[1] for line in body.splitlines() if line.startswith("| `")]
        found[heading.strip("`")] = [key for row in rows for key in re.findall(r"`([^`]+)`", row)]
    return found


KEYS = documented()


def paths(value: Any, at: str = "") -> Iterator[str]:
    """The path of every value that is no list or mapping."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{at}.{str(name).replace('.', '_')}" if at else str(name))
    elif isinstance(value, list):
        yield from (path for inner in value for path in paths(inner, f"{at}[]")) if value else [f"{at}[]"]
    else:
        yield at


def pattern(key: str) -> re.Pattern[str]:
    """What a documented key stands for."""
    words = re.split(r"(\b[A-Z]+\b|\.\.\.|\.\*)", key)
    special = {"...": r"(\[\]|\..*)*", ".*": r"\.[^.\[]+"}
    return re.compile("".join(special.get(w) or (r"[^.\[\]]+" if w.isupper() else re.escape(w)) for w in words))


def compare(heading: str, *outputs: str, unseen: tuple[str, ...] = ()) -> None:
    """Every key that was printed is documented, and every documented one was printed (but those that cannot be here)."""
    printed = {path for text in outputs for path in paths(json.loads(text))}
    patterns = {key: pattern(key) for key in KEYS[heading]}
    # Of a list of mappings that is empty nothing is to be seen but its place.
    known = [*patterns.values(), *(pattern(key[: m.end()]) for key in patterns for m in re.finditer(r"\[\]", key))]
    assert sorted(p for p in printed if not any(x.fullmatch(p) for x in known)) == [], "not documented"
    missing = {key for key, x in patterns.items() if not any(x.fullmatch(p) for p in printed)}
    assert missing == set(unseen), "documented, and not printed"


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "net.yaml"
    path.write_text(NET)
    return path


def test_the_page_has_every_command_with_json() -> None:
    from cnnspec.cli.main import main

    with_json = {
        name
        for name in main.list_commands(None)  # type: ignore[arg-type, attr-defined]
        if any("--json" in p.opts for p in main.get_command(None, name).params)  # type: ignore[arg-type, attr-defined, union-attr]
    }
    assert {heading.split()[1] for heading in KEYS} == with_json | {"check"}


def test_check(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(NET.replace("linear: {features: 10}", "add: [c1, input]"))
    result = call("check", path, "--format", "json")
    assert result.exit_code == 1
    compare("cnnspec check --format json", result.stdout)
    assert call("check", "lenet5", "--format", "json").stdout == "[]\n"


def test_summary() -> None:
    compare(
        "cnnspec summary FILE --json",
        call("summary", "googlenet", "--json").stdout,
        call("summary", "capsnet", "--json", "--all").stdout,
    )


def test_list() -> None:
    compare("cnnspec list --json", call("list", "--json", "--family", "resnet").stdout)
    compare("cnnspec list --blocks --json", call("list", "--blocks", "--json").stdout)


def test_explain() -> None:
    compare("cnnspec explain [CODE] --json", call("explain", "--json").stdout)


def test_verify(net: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(NET.replace("filters: $n", 'filters: "${12 // (n - 4)}"'))
    found = call("verify", net, "--examples", 2, "--json")
    assert json.loads(found.stdout)["right"]
    broken = json.loads(call("verify", bad, "--json").stdout)
    assert set(paths(broken["diagnostics"])) <= {*paths(json.loads(call("check", bad, "--format", "json").stdout))}
    compare("cnnspec verify FILE --json", found.stdout, json.dumps({**broken, "diagnostics": ["..."]}))


def test_version_and_cache() -> None:
    compare("cnnspec version --json", call("version", "--json").stdout)
    compare("cnnspec cache --json", call("cache", "--json").stdout)


def test_diff() -> None:
    compare(
        "cnnspec diff A B --json",
        call("diff", "resnet18", "resnet34", "--json").stdout,
        call("diff", "lenet5", "lenet5_modern", "--json").stdout,
        call("diff", "resnet18", "resnet18", "--set", "input.height=192", "--set", "classes=7", "--json").stdout,
    )


def test_sizes() -> None:
    compare(
        "cnnspec sizes FILE --json",
        call("sizes", "inception_v3", "--size", 200, "--json").stdout,
        call("sizes", "shufflenet_v2_x1_0", "--json").stdout,
    )


def test_scale() -> None:
    compare(
        "cnnspec scale FILE --json",
        call("scale", "lenet5_modern", "--width", 2, "--explain", "--json").stdout,
        call("scale", "resnet18", "--macs", "1G", "--json").stdout,
    )


def test_recipes() -> None:
    compare("cnnspec recipes --json", call("recipes", "--json").stdout)


def test_gradients(net: Path, tmp_path: Path) -> None:
    found = call("gradients", net, "--output", tmp_path / "gradients.png", "--json")
    compare("cnnspec gradients FILE... --json", found.stdout)


def test_explained_and_tuned_forms(net: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNSPEC_CACHE", str(tmp_path))
    compare("cnnspec compile FILE --explain --json", call("compile", "mobilenet_v2", "--explain", "--json").stdout)
    tuned = call("compile", net, "--tune", "--batch", 64, "--output", tmp_path / "net", "--json")
    assert tuned.exit_code == 0, tuned.output
    compare("cnnspec compile FILE --tune --json", tuned.stdout)


def test_profile(net: Path) -> None:
    compare("cnnspec profile FILE --json", call("profile", net, "--json").stdout)


def test_training_and_what_comes_of_it(net: Path, tmp_path: Path) -> None:
    from PIL import Image

    recipe = tmp_path / "net.recipe.yaml"
    recipe.write_text("dataset: digits\nsteps: 2\nbatch_size: 8\noptimizer: {name: adam, learning_rate: 0.01}\n")
    run, artefact, image = tmp_path / "run", tmp_path / "artefact", tmp_path / "image.png"
    Image.new("L", (8, 8)).save(image)
    trained = call("train", net, "--recipe", recipe, "--out", run, "--json")
    assert trained.exit_code == 0, trained.output
    compare("cnnspec train FILE --json", trained.stdout)
    compare("cnnspec eval FOLDER --json", call("eval", run, "--json").stdout, unseen=("corrupt.FILE",))
    compare("cnnspec predict FOLDER IMAGE... --json", call("predict", run, image, "--json").stdout)
    assert call("compile", "--checkpoint", run, "--output", artefact).exit_code == 0
    compare("cnnspec run FOLDER IMAGE... --json", call("run", artefact, image, "--json").stdout)
