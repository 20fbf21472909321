"""The network of a finished run, or of a recipe, on a chip of devices against CMOS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from barkhausen.core.errors import InputError
from barkhausen.experiment.energy.account import CALIBRATION_SAMPLES
from barkhausen.experiment.energy.load import layer_loads, learning_of
from barkhausen.experiment.energy.second_arrays import SecondArrays
from barkhausen.experiment.energy.untrained import MEAN_SQUARE, untrained_loads
from barkhausen.experiment.optimisation.optimizers import OPTIMIZERS
from barkhausen.experiment.recipe import Recipe, load_recipe
from barkhausen.experiment.summary import software
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import programming_energy, synapse_layers
from barkhausen.synapse import Phase
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.cmos import Comparison, Ratio, Sensitivity, compared, sensitivities
from barkhausen.synapse.crossbar.cmos.comparison import UNITS, ratio, states_in_bits
from barkhausen.synapse.crossbar.cmos.machine import Machine, Work
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_load import LearningLoad
from barkhausen.synapse.crossbar.overheads import NOT_COUNTED

OURS = "devices"


@dataclass(frozen=True)
class AgainstCmos:
    """A comparison with what it is of.

    Args:
        network: Name of the run or recipe.
        comparison: Ways to build the network.
        sensitivities: Of the ratios of SRAM cells to devices with the same inputs, the strongest first.
        bits: Bits of a weight in SRAM cells.
        batch: Samples of a training step.
        writes: Weights that are written in a step.
        chip: Chip of devices.
        assumed: Assumptions about the network, a line each; those of the chip are its own.
    """

    network: str
    comparison: Comparison
    sensitivities: list[Sensitivity]
    bits: int
    batch: int
    writes: float
    chip: Chip
    assumed: list[str]

    def as_json(self) -> dict[str, Any]:
        """Everything for a JSON file, in SI units."""
        comparison = self.comparison
        return {
            "network": self.network,
            "machines": [_as_json(machine, comparison) for machine in comparison.machines],
            "ratios": [asdict(item) for item in comparison.ratios()],
            "sensitivities": [asdict(item) for item in self.sensitivities],
            "bits": self.bits,
            "batch": self.batch,
            "writes": self.writes,
            "multiply_adds": comparison.multiply_adds,
            "node": comparison.node,
            "assumed": [*self.assumed, *self.chip.assumed()],
            "constants": self.chip.constants.model_dump(),
            "not_counted": list(NOT_COUNTED),
            "software": software(),
        }


def against_cmos(
    source: str | Path | Recipe,
    chip: Chip,
    *,
    name: str | None = None,
    settings: Sequence[str] = (),
    bits: int | None = None,
    units: int = UNITS,
    mean_square: float = MEAN_SQUARE,
    data_dir: str | Path | None = None,
) -> AgainstCmos:
    """Compare a network on a chip with CMOS.

    Args:
        source: Directory of a finished run on devices, whose inputs, conductances and programming were measured; or a
            recipe, for whose untrained network they are assumed.
        chip: Chip of devices.
        name: Name of the network in tables. Default: the source.
        settings: Settings ``key=value`` of a recipe file.
        bits: Bits of a weight in SRAM cells. Default: as many as the states of a device need.
        units: Multiply-add units of digital logic.
        mean_square: Mean square of inputs relative to the largest, for a recipe.
        data_dir: Root of the data sets, for a run.

    Raises:
        InputError: The run is not finished, or the network has no devices.
    """
    if not isinstance(source, Recipe) and Path(source).is_dir():
        found = _of_run(Path(source), chip, data_dir)
    else:
        recipe = source if isinstance(source, Recipe) else load_recipe(source, list(settings))
        network = untrained_loads(recipe, chip, mean_square)
        learning = LearningLoad(optimiser_states=OPTIMIZERS[recipe.optimizer.name].words(recipe.optimizer))
        assumed = [*network.assumed, "no programming in a training step"]
        found = _Network(network.loads, network.states, learning, Work(batch=recipe.batch_size), assumed)
    bits = states_in_bits(found.states) if bits is None else bits

    def on(changed: Chip) -> Comparison:
        loads = found.loads
        return compared(changed, loads, bits=bits, work=found.work, learning=found.learning, units=units)

    def sram_to_devices(changed: Chip) -> Ratio:
        made = on(changed)
        return ratio(made.others[0], made.serial)

    return AgainstCmos(
        network=str(source) if name is None else name,
        comparison=on(chip),
        sensitivities=sensitivities(chip, sram_to_devices),
        bits=bits,
        batch=found.work.batch,
        writes=found.work.writes,
        chip=chip,
        assumed=found.assumed,
    )


@dataclass(frozen=True)
class _Network:
    loads: list[LayerLoad]
    states: int
    learning: LearningLoad
    work: Work
    assumed: list[str]


def _of_run(run: Path, chip: Chip, data_dir: str | Path | None) -> _Network:
    """What was measured of a finished run."""
    trained = load_trained(run, data_dir=data_dir)
    recipe, model = trained.recipe, trained.model
    if not recipe.learning_rule.on_devices:
        raise InputError(f"{run}: a run with mode = '{recipe.mode}' has no devices, and so no chip")
    summary, checked = read_summary(run / "summary.json")
    if checked.steps is None:
        raise InputError(f"{run}: its summary does not say how many steps the training had")
    dataset = recipe.dataset.load(None if data_dir is None else Path(data_dir))
    task = task_of(recipe, dataset, torch.device("cpu"))
    loads = layer_loads(model, chip, task.inputs[:CALIBRATION_SAMPLES])
    states = max(layer.synapses.states for _, layer in synapse_layers(model))
    if not recipe.learning_rule.programs_while_training:
        learning = LearningLoad(optimiser_states=OPTIMIZERS[recipe.optimizer.name].words(recipe.optimizer))
        return _Network(loads, states, learning, Work(batch=recipe.batch_size), ["no programming in a training step"])
    pair = chip.tile.devices_per_weight
    second = SecondArrays.from_summary(summary["programming"]).of_phase(Phase.TRAINING)
    work = Work(
        batch=recipe.batch_size,
        writes=checked.programming.training_events / checked.steps,
        programming=pair * (programming_energy(model, Phase.TRAINING) + second).total / checked.steps,
    )
    return _Network(loads, states, learning_of(summary, recipe, model, checked.steps), work, [])


def _as_json(machine: Machine, comparison: Comparison) -> dict[str, Any]:
    values = {key: dict(value) if hasattr(value, "keys") else value for key, value in vars(machine).items()}
    return {**values, "tera_operations_per_joule": comparison.tera_operations(machine)}
