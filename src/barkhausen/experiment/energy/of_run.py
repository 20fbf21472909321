"""The account of a finished run, for any chip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from barkhausen.core.errors import InputError
from barkhausen.experiment.energy.account import LearningAccount, account_of
from barkhausen.experiment.energy.load import learning_of
from barkhausen.experiment.summary import energy_of, software
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import synapse_layers
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.overheads import NOT_COUNTED


@dataclass(frozen=True)
class RunEnergy:
    """The account of a finished run on a chip.

    Args:
        run: Name of the run.
        summary: Its summary.
        account: Energies by cause.
        chip: Chip that they are for.
    """

    run: str
    summary: dict[str, Any]
    account: LearningAccount
    chip: Chip

    def as_json(self) -> dict[str, Any]:
        """The account with its chip, for a JSON file."""
        return {
            "run": self.run,
            "account": self.account.summary(),
            "not_counted": list(NOT_COUNTED),
            "chip": self.chip.model_dump(exclude={"constants"}),
            "constants": self.chip.constants.model_dump(),
            "assumed": self.chip.assumed(),
            "software": software(),
        }


def energy_of_run(
    run: str | Path, chip: Chip, *, chips: int | None = None, data_dir: str | Path | None = None
) -> RunEnergy:
    """The account of a finished run, computed anew from its trained network and its counts.

    Args:
        run: Directory of a finished run on devices.
        chip: Chip that the energies are for.
        chips: Number of chips that share one training. Default: 1 for a training on the chip, 1000 for a precursor.
        data_dir: Root of the data sets.

    Raises:
        InputError: The run is not finished or has no devices, or the chip cannot hold the network.
    """
    run = Path(run)
    if chips is not None and chips < 1:
        raise InputError(f"chips = {chips}: must be 1 or more")
    trained = load_trained(run, data_dir=data_dir)
    recipe, model = trained.recipe, trained.model
    rule = recipe.learning_rule
    if not rule.on_devices:
        raise InputError(f"{run}: a run with mode = '{recipe.mode}' has no devices, and so no energy of a chip")
    path = run / "summary.json"
    summary, checked = read_summary(path)
    if checked.steps is None:
        raise InputError(f"{path}: does not say how many steps the training had")
    dataset = recipe.dataset.load(None if data_dir is None else Path(data_dir))
    task = task_of(recipe, dataset, torch.device("cpu"))
    synapses = sum(layer.latent_weight.numel() for _, layer in synapse_layers(model))
    on_chip = rule.programs_while_training
    account = account_of(
        model,
        recipe,
        chip,
        task.inputs,
        steps=checked.steps,
        samples=checked.dataset.train_samples,
        programmed=None if on_chip else energy_of(summary),
        learning=learning_of(summary, recipe, synapses, checked.steps) if on_chip else None,
    )
    return RunEnergy(run.resolve().name, summary, account if chips is None else account.of_chips(chips), chip)
