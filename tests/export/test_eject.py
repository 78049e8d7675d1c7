"""An ejected file is readable, stands alone, and computes what the compiled network computes."""

from __future__ import annotations

import pytest

from cnnspec.compiled import compile
from cnnspec.zoo import zoo_specs
from tests.export.ejecting import check_form, compare_inference, compare_training, import_file, write

SMALL = {"input.height": 64, "input.width": 64}
#: One network a family, small; those with dropout have it off, since two libraries do not draw the same numbers.
FAMILIES = [
    ("lenet5", {}),
    ("resnet18", SMALL),
    ("mobilenet_v2", {**SMALL, "dropout": 0.0}),
    ("densenet121", SMALL),
    ("googlenet", {"input.height": 128, "input.width": 128, "dropout": 0.0, "aux_dropout": 0.0}),
    ("shufflenet_v2_x0_5", SMALL),
    ("efficientnet_b0", {**SMALL, "dropout": 0.0, "drop_connect": 0.0}),
    ("capsnet", {}),
]


@pytest.mark.parametrize(("name", "values"), FAMILIES)
def test_an_ejected_network_is_the_compiled_one(name, values, tmp_path):
    compiled = compile(name, set=values)
    path, weights = write(compiled, tmp_path)
    check_form(path)
    module = import_file(path)
    compare_inference(compiled, module, tmp_path, weights)
    compare_training(compiled, module, tmp_path, weights)


@pytest.mark.slow
@pytest.mark.parametrize("path", zoo_specs(), ids=lambda path: path.stem)
def test_every_network_of_the_zoo_can_be_ejected(path, tmp_path):
    compiled = compile(path)
    written, weights = write(compiled, tmp_path)
    check_form(written)
    compare_inference(compiled, import_file(written), tmp_path, weights)
