# `make` or `make help` lists what can be made.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# One network of each family is enough by hand; where CI is set, the whole zoo runs.
TESTS := not slow and not parity$(if $(CI),, and not ci)

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all thorough lint types format zoo photographs parity reference docs bench-peers bench bench-full clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) -c constraints.txt -e '.[test,onnx]'
	@touch $@

setup: $(VENV)/.installed  ## make a virtual environment with all that is needed

demo: setup  ## compile VGG-16 and run it on two photographs; train LeNet-5 on real digits and compile what it learned
	$(BIN)/cnnspec compile vgg16.yaml --output out/vgg16
	$(BIN)/python -m benchmarks.photographs out/photographs
	$(BIN)/cnnspec run out/vgg16 out/photographs/china.jpg out/photographs/flower.jpg --top 2
	rm -rf out/lenet5
	$(BIN)/cnnspec train lenet5 --out out/lenet5
	$(BIN)/cnnspec compile --checkpoint out/lenet5 --output out/lenet5_compiled
	$(BIN)/cnnspec eval out/lenet5_compiled --data digits
	@echo "the network: out/lenet5_compiled/; what it says of digits it has not seen: out/lenet5/predictions.png"

test: setup lint types  ## lint, type-check, and run the everyday tests (with CI=1 the whole zoo)
	$(BIN)/python -m pytest -q -n 2 -m '$(TESTS)'

test-all: setup  ## run every test that needs no peer
	$(BIN)/python -m pytest -q -n 2 -m 'not parity'

thorough: setup  ## the properties over 10,000 random specs each: hours
	HYPOTHESIS_PROFILE=thorough nice $(BIN)/python -m pytest -q -n 2 tests/properties

lint: setup  ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup  ## strict mypy
	$(BIN)/mypy

format: setup  ## format the sources
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

zoo: setup  ## check every spec of the zoo, print the table, and how many have proven logits
	$(BIN)/cnnspec check --quiet specs/*.yaml
	$(BIN)/cnnspec list
	$(BIN)/python -m tests.parity --count

photographs: setup  ## run VGG-16 and ResNet-50 from a peer's files on photographs, beside torchvision (its stored logits where there is no torch)
	$(BIN)/python -m tests.parity.photograph

parity: setup  ## recompute every comparison with torchvision, timm and keras live
	$(PIP) -c constraints.txt -e '.[parity]'
	$(PIP) --no-deps -c constraints.txt torchvision timm
	$(BIN)/python -m tests.parity
	$(BIN)/python -m tests.parity.photograph
	$(BIN)/python -m pytest -q -m parity

docs: setup  ## write the generated pages
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/zoo.py
	$(BIN)/python docs/executed.py docs/scaling.md
	$(BIN)/python docs/diagnostic_picture.py

bench-peers: setup  ## install what the benchmarks compare with
	$(PIP) -c constraints.txt -e '.[bench]'
	$(PIP) --no-deps -c constraints.txt torchvision timm

bench: bench-peers  ## measure the short form, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks --page

bench-full: bench-peers  ## measure everything, which takes hours, and write docs/benchmarks.md
	$(BIN)/python -m benchmarks --full --page

clean:  ## remove what was made
	rm -rf $(VENV) out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
