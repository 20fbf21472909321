# Two commands do all on a new machine: `make reproduce` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt
# Tests at a time.
WORKERS ?= 2
DATA := $(if $(DATA_DIR),--data-dir $(DATA_DIR),)

.PHONY: setup reproduce test lint docs bench bench-micromagnetics validate tune results clean

setup: .venv/run.stamp

KERNEL := setup.py $(wildcard src/barkhausen/*/compiled/*.?pp)

.venv/run.stamp: pyproject.toml constraints.txt $(KERNEL)
	@echo "setting up .venv (about a minute)"
	@$(PYTHON) -m venv .venv
	@$(PIP) --editable .
	@touch $@

.venv/dev.stamp: .venv/run.stamp
	@$(PIP) --editable '.[dev]'
	@touch $@

.venv/peers.stamp: .venv/dev.stamp
	@echo "installing the codes to compare with (a few minutes)"
	@$(PIP) --editable '.[dev,peers]'
	@# Its pictures need cairo, which pip can only build; its solver does not.
	@$(PIP) --no-deps badcrossbar pathvalidate
	@touch $@

reproduce: setup ## the main job: the results table and report in runs/reproduce
	$(BIN)/barkhausen reproduce --out runs/reproduce $(DATA)

test: .venv/dev.stamp ## all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist worksteal

lint: .venv/dev.stamp ## style, types, and the direction of imports
	$(BIN)/ruff format --check src tests benchmarks examples setup.py
	$(BIN)/ruff check src tests benchmarks examples setup.py
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/dev.stamp ## the documentation site in site/; opens from site/index.html
	@# Not --quiet: that would keep warnings from being counted, and so from being errors.
	$(BIN)/properdocs build --strict

bench: .venv/peers.stamp ## speed and memory of a training step against the float twin, Brevitas and aihwkit
	$(BIN)/python benchmarks/in_situ_step.py
	$(BIN)/python benchmarks/in_situ_step.py --epochs 1 --set network.kind=cnn --steps 20
	$(BIN)/python benchmarks/in_situ_step.py --set batch_size=1 --set network.normalisation=none --pairs 100
	$(BIN)/python benchmarks/quantised_peers.py

bench-micromagnetics: .venv/peers.stamp ## replica-steps per second beside magnum.np, and transforms
	$(BIN)/python benchmarks/micromagnetics.py
	$(BIN)/python benchmarks/transforms.py

tune: setup ## choice of margin and rates on validation data
	$(BIN)/python benchmarks/tune.py $(DATA)

clean:
	rm -rf .venv build dist runs site
