"""The account of a finished run, for any chip."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from barkhausen.core.errors import InputError
from barkhausen.experiment.energy.account import LearningAccount, account_of
from barkhausen.experiment.energy.load import learning_of
from barkhausen.experiment.energy.second_arrays import SecondArrays
from barkhausen.experiment.summary import energy_of, software
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
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


class RunAccounts:
    """The accounts of one finished run, computed anew from its trained network and its counts.

    Args:
        run: Directory of a finished run on devices.
        data_dir: Root of the data sets.

    Raises:
        InputError: The run is not finished or has no devices.
    """

    def __init__(self, run: str | Path, data_dir: str | Path | None = None) -> None:
        run = Path(run)
        trained = load_trained(run, data_dir=data_dir)
        self.name, self.recipe, self.model = run.resolve().name, trained.recipe, trained.model
        rule = self.recipe.learning_rule
        if not rule.on_devices:
            raise InputError(
                f"{run}: a run with mode = '{self.recipe.mode}' has no devices, and so no energy of a chip"
            )
        path = run / "summary.json"
        self.summary, checked = read_summary(path)
        if checked.steps is None:
            raise InputError(f"{path}: does not say how many steps the training had")
        self.steps, self.samples = checked.steps, checked.dataset.train_samples
        dataset = self.recipe.dataset.load(None if data_dir is None else Path(data_dir))
        self.inputs = task_of(self.recipe, dataset, torch.device("cpu")).inputs
        self.learning = learning_of(self.summary, self.recipe, self.model, self.steps)

    def on(self, chip: Chip, *, chips: int | None = None, batch: int | None = None) -> RunEnergy:
        """The account on a chip.

        Args:
            chip: Chip that the energies are for.
            chips: Number of chips that share one training. Default: 1 for a training on the chip, 1000 for a precursor.
            batch: Samples of a step, for an estimate (:func:`.at_batch`). Default: those of the run.

        Raises:
            InputError: The chip cannot hold the network, or a number is less than 1.
        """
        for name, value in (("chips", chips), ("batch", batch)):
            if value is not None and value < 1:
                raise InputError(f"{name} = {value}: must be 1 or more")
        account = account_of(
            self.model,
            self.recipe,
            chip,
            self.inputs,
            steps=self.steps,
            samples=self.samples,
            programmed=None if self.recipe.learning_rule.programs_while_training else energy_of(self.summary),
            learning=self.learning,
            batch=batch,
            second=SecondArrays.from_summary(self.summary["programming"]),
        )
        return RunEnergy(self.name, self.summary, account if chips is None else account.of_chips(chips), chip)


def energy_of_run(
    run: str | Path, chip: Chip, *, chips: int | None = None, data_dir: str | Path | None = None
) -> RunEnergy:
    """The account of a finished run on a chip (:class:`RunAccounts`).

    Args:
        run: Directory of a finished run on devices.
        chip: Chip that the energies are for.
        chips: Number of chips that share one training. Default: 1 for a training on the chip, 1000 for a precursor.
        data_dir: Root of the data sets.

    Raises:
        InputError: The run is not finished or has no devices, or the chip cannot hold the network.
    """
    if chips is not None and chips < 1:
        raise InputError(f"chips = {chips}: must be 1 or more")
    return RunAccounts(run, data_dir).on(chip, chips=chips)
