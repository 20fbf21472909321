"""One run in its own directory: started, interrupted, resumed, finished, never started twice.

The directory holds ``recipe.toml`` (resolved), ``metrics.jsonl`` (a line an epoch), ``checkpoint.safetensors``
and ``state.json``, ``tensorboard/``, and at the end ``histograms.json`` and ``summary.json``; of a run that is logged
elsewhere too, whatever that log keeps there. Each file is
written atomically and in such an order that a run killed at any moment resumes from its last whole epoch.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from barkhausen.core.config import differing, flat, read_toml
from barkhausen.core.errors import InputError, OutcomeError, warn
from barkhausen.core.files import (
    atomic_write,
    check_directory,
    claimed_directory,
    clear_directory,
    read_json_lines,
)
from barkhausen.core.files.reading import read_bytes
from barkhausen.core.half_precision import choice_of_machine
from barkhausen.core.progress import Progress, display_of
from barkhausen.core.renamed import RECIPE_KEYS, renamed_keys
from barkhausen.core.seeds import stream
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.checkpoint import fitting, load_checkpoint, save_checkpoint
from barkhausen.experiment.device_of_run import DEVICE, RECIPE, check_device, device_of
from barkhausen.experiment.energy.account import CALIBRATION_SAMPLES, account_of
from barkhausen.experiment.energy.neurons import neuron_summary
from barkhausen.experiment.energy.second_arrays import SecondArrays
from barkhausen.experiment.evaluation import weight_histogram
from barkhausen.experiment.logs.base import Destination, RunLog
from barkhausen.experiment.logs.tensorboard import TensorBoard
from barkhausen.experiment.network_code import SOURCE, changed_source, code_summary, pinned
from barkhausen.experiment.recipe import Recipe, device_file, with_device_defaults
from barkhausen.experiment.recipe.defaults import EARLIER_PRESET, with_defaults, with_earlier_preset
from barkhausen.experiment.starting.initial import CHECKPOINT, initial_state
from barkhausen.experiment.starting.lengthen import begin_longer, lengthened
from barkhausen.experiment.starting.precursor import INITIAL, facts_of_precursor, summary_of_precursor
from barkhausen.experiment.starting.teacher import held_copy, keep_teacher, teacher_of
from barkhausen.experiment.summary import (
    SCHEMA,
    assumptions,
    device_summary,
    energy_summary,
    mean_counts,
    programming_counts,
    score_summary,
    software,
    spread,
    writes_of_devices,
)
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.training import Training
from barkhausen.experiment.uncertainty import measure_and_keep
from barkhausen.learning import conversion_report, fresh_chip, programming_energy
from barkhausen.learning.spiking import counted_neurons
from barkhausen.synapse import EnergyBreakdown
from barkhausen.synapse.crossbar import load_chip

SUMMARY = "summary.json"
WHAT = "a run"

KEPT_SAMPLES = 1000
"""Held-out samples over which the learning rule averages what it keeps of the trained network."""


@dataclass
class Run:
    """A recipe, the directory it runs in, and what it needs to run.

    Args:
        recipe: Everything that decides the run.
        directory: Directory of this run and no other.
        data_dir: Root directory of the data sets, where the user names one.
        overwrite: Whether to discard what the directory holds.
        lengthen: Whether to train a run of fewer epochs on, to those of the recipe.
        progress: Display of progress; ``True``: the one that fits the terminal, the notebook or the log.
        notes: Lines for the summary, such as a data set that had to be replaced.
        accept_changed_code: Whether a run may resume although the source of its ``network.factory`` has changed.
        logs: Destinations of its numbers beside TensorBoard, such as
            :class:`~barkhausen.experiment.logs.mlflow.Mlflow`.
    """

    recipe: Recipe
    directory: Path
    data_dir: Path | None = None
    overwrite: bool = False
    lengthen: bool = False
    progress: Progress | bool | None = None
    notes: tuple[str, ...] = ()
    logs: tuple[Destination, ...] = ()
    accept_changed_code: bool = False

    def execute(self) -> dict[str, Any]:
        """Start the run, resume it, or return the summary of a finished one.

        Raises:
            InputError: The directory belongs to another recipe or cannot be written, data or device cannot be
                used.
        """
        finished = self.directory / SUMMARY
        self.recipe = pinned(with_device_defaults(self.recipe))
        if self._holds_this_run() and finished.exists() and not self._is_longer():
            check_device(self.recipe, self.directory)
            summary, _ = read_summary(finished)
            self._log_again(summary)
            return summary
        # Wrong input is found before anything is written or discarded.
        training, device = self._prepare()
        with claimed_directory(self.directory, RECIPE, WHAT):
            self._begin()
            metrics = self._resume(training)
            with self._opened((TensorBoard(), *self.logs), metrics) as logs:
                self._train(training, metrics, logs)
                summary = self._finish(training, metrics, device)
                atomic_write(finished, json.dumps(summary, indent=1, allow_nan=False) + "\n")
                for log in logs:
                    log.finish(summary)
        return summary

    @contextlib.contextmanager
    def _opened(self, logs: tuple[Destination, ...], metrics: list[dict[str, Any]]) -> Iterator[list[RunLog]]:
        """The logs of this run, open within the block."""
        with contextlib.ExitStack() as stack:
            yield [stack.enter_context(log.open(self.recipe, self.directory, list(metrics))) for log in logs]

    def _log_again(self, summary: dict[str, Any]) -> None:
        """Give a finished run to the logs that may lack it, in part or whole."""
        logs = tuple(log for log in self.logs if log.takes_finished_runs)
        if not logs:
            return
        with claimed_directory(self.directory, RECIPE, WHAT), self._opened(logs, self._metrics()) as opened:
            for log in opened:
                log.finish(summary)

    def _metrics(self) -> list[dict[str, Any]]:
        """The lines of the epochs that are finished, as far as they can be read."""
        try:
            return read_json_lines(self.directory / "metrics.jsonl")
        except InputError:
            return []

    def _prepare(self) -> tuple[Training, CharacterisedDevice | None]:
        """Data, device and the untrained network."""
        if self.recipe.threads is not None:
            torch.set_num_threads(self.recipe.threads)
        dataset = self.recipe.dataset.load(self.data_dir)
        begun = (self.directory / RECIPE).exists() and not self.overwrite
        device = device_of(self.recipe, self.directory, begun=begun)
        copy = None if self.overwrite else held_copy(self.directory)
        teacher = teacher_of(self.recipe, torch.device(self.recipe.accelerator), copy)
        return Training(self.recipe, dataset, device, initial=self._initial(), teacher=teacher), device

    def _initial(self) -> dict[str, torch.Tensor] | None:
        """State of the network that the run starts from, as the directory holds it or from the other run."""
        if self.recipe.init_from is None:
            return None
        held = self.directory / INITIAL
        return initial_state(held if held.is_file() and not self.overwrite else Path(self.recipe.init_from))

    def _holds_this_run(self) -> bool:
        """Whether the directory holds this run and the run is to be resumed; one of anything else is refused."""
        if not check_directory(self.directory, RECIPE, WHAT):
            return False
        if not self.overwrite:
            theirs = flat(renamed_keys(read_toml(self.directory / RECIPE), RECIPE_KEYS))
            # A run keeps the defaults that it began with.
            margin, rate = (theirs.get(key) for key in ("device.margin", "optimizer.latent_rate"))
            if isinstance(margin, float) and isinstance(rate, float):
                self.recipe = with_defaults(self.recipe, margin, rate)
            usual = self.recipe.device.preset
            if theirs.get("device.preset") == EARLIER_PRESET:
                self.recipe = with_earlier_preset(self.recipe)
            self._check_same(theirs)
            if self.recipe.device.preset != usual and self.recipe.learning_rule.on_devices:
                warn(
                    f"{self.directory}: holds a run with device.preset = {EARLIER_PRESET!r}, which it keeps; "
                    f"the default is {usual!r} now"
                )
        return not self.overwrite

    def _is_longer(self) -> bool:
        """Whether the recipe has more epochs than the run in the directory."""
        if self.lengthen and self.recipe.stopping.patience is not None:
            raise InputError(
                "--lengthen does not apply to a run with early stopping (stopping.patience), which keeps its best epoch"
            )
        epochs = read_toml(self.directory / RECIPE).get("epochs")
        return self.lengthen and isinstance(epochs, int) and self.recipe.epochs > epochs

    def _begin(self) -> None:
        """Put the resolved recipe and a copy of the device file in the claimed directory, where they are not yet."""
        held, source = self.directory / RECIPE, device_file(self.recipe)
        if self.overwrite:
            clear_directory(self.directory)
        if held.exists() and self._is_longer():
            begin_longer(self.directory, self.recipe)
        if not held.exists() or (self.accept_changed_code and self.recipe.network.factory is not None):
            atomic_write(held, self.recipe.to_toml())
        self._keep_others()
        if source is not None and not (self.directory / DEVICE).exists():
            atomic_write(self.directory / DEVICE, read_bytes(source, binary=True))
        check_device(self.recipe, self.directory)

    def _keep_others(self) -> None:
        """Copy what the run takes from other runs, before its first epoch: they may change or go."""
        if (self.directory / CHECKPOINT).exists():
            return
        if self.recipe.init_from is not None and not (self.directory / INITIAL).exists():
            other = Path(self.recipe.init_from)
            save_checkpoint(
                self.directory / INITIAL, {"model": initial_state(other), **facts_of_precursor(other / SUMMARY)}
            )
        if self.recipe.loss.teacher is not None:
            keep_teacher(Path(self.recipe.loss.teacher), self.directory)

    def _check_same(self, theirs: Mapping[str, Any]) -> None:
        """Refuse a directory whose run has another recipe; one to be lengthened may have fewer epochs."""
        mine = flat(self.recipe.model_dump(exclude_none=True))
        others = differing(mine, theirs)
        epochs = theirs.get("epochs")
        longer = isinstance(epochs, int) and self.recipe.epochs > epochs
        if longer and self.lengthen:
            others.remove("epochs")
        if others == [SOURCE] and mine.keys() == theirs.keys():
            note = changed_source(self.recipe, str(theirs[SOURCE]), self.directory, accepted=self.accept_changed_code)
            self.notes = (*self.notes, note)
        elif others:
            key = others[0]
            remedy = "--lengthen to train it on, " if others == ["epochs"] and longer else ""
            raise InputError(
                f"{self.directory}: holds a run with {key} = {theirs.get(key)!r}, this one has {mine.get(key)!r}; "
                f"{remedy}choose another --out, or --overwrite"
            )

    def _resume(self, training: Training) -> list[dict[str, Any]]:
        """Load the last checkpoint, if any, and the metrics up to it."""
        path = self.directory / CHECKPOINT
        if not path.exists():
            return []
        state = load_checkpoint(path)
        with fitting(path, f"{RECIPE}; use --overwrite to start anew"):
            training.load_state_dict(state)
        metrics = self._metrics()[: training.epoch]
        if len(metrics) != training.epoch:
            raise InputError(
                f"{self.directory}: metrics.jsonl does not reach epoch {training.epoch} of the checkpoint; "
                "use --overwrite to start anew"
            )
        return metrics

    def _train(self, training: Training, metrics: list[dict[str, Any]], logs: list[RunLog]) -> None:
        recipe = self.recipe
        validating = recipe.dataset.validation_samples > 0
        held_out = f"{'validation' if validating else 'test'}_{training.task.score.name}"
        with display_of(self.progress).task(
            _title(recipe), total=recipe.epochs * training.batches, done=training.epoch * training.batches
        ) as advance:
            if recipe.init_from is not None and training.epoch == 0:
                training.start_score = training.held_out_score()
            if training.stopping is not None and training.epoch == 0:
                training.stopping.note(training.model, 0)
            while not training.finished:
                started = time.perf_counter()
                line: dict[str, Any] = {"epoch": training.epoch + 1}
                line |= self._epoch(training, advance)
                if training.stopping is not None:
                    line["stopping_loss"] = training.stopping.note(training.model, training.epoch)
                if recipe.dataset.test_every_epoch or training.epoch == recipe.epochs or validating:
                    line[held_out] = training.held_out_score()
                line["rates"] = [group["lr"] for group in training.learner.param_groups]
                if recipe.learning_rule.programs_while_training:
                    line |= _cumulative(training)
                elif recipe.learning_rule.energy is not None:
                    counted = recipe.learning_rule.energy(training.learner, recipe.rule)
                    line["programming_joule"] = counted.total
                line["seconds"] = time.perf_counter() - started
                metrics.append(line)
                # The metrics first: a checkpoint must never be ahead of them.
                text = "".join(json.dumps(row) + "\n" for row in metrics)
                atomic_write(self.directory / "metrics.jsonl", text)
                save_checkpoint(self.directory / CHECKPOINT, training.state_dict())
                state = {"epoch": training.epoch, "epochs": recipe.epochs, "checkpoint": CHECKPOINT}
                atomic_write(self.directory / "state.json", json.dumps(state) + "\n")
                for log in logs:
                    log.add(training.epoch, line)
        if training.stopping is not None:
            training.stopping.restore(training.model)
            save_checkpoint(self.directory / CHECKPOINT, training.state_dict())

    def _epoch(self, training: Training, advance: Callable[[int], None]) -> dict[str, float]:
        """One epoch, or a line where the learning rate was too much for it."""
        number = training.epoch + 1
        try:
            result = training.run_epoch(advance)
            if math.isfinite(result["train_loss"]):
                return result
        except IndexError:
            # A latent weight that is not a number has no nearest state.
            if all(bool(parameter.isfinite().all()) for parameter in training.model.parameters()):
                raise
        raise OutcomeError(
            f"training diverged in epoch {number}: lower optimizer.rate or optimizer.latent_rate "
            f"({self.recipe.optimizer.rate:g} and {self.recipe.optimizer.latent_rate:g})"
        )

    def _finish(
        self, training: Training, metrics: list[dict[str, Any]], device: CharacterisedDevice | None
    ) -> dict[str, Any]:
        recipe, dataset, rule = self.recipe, training.dataset, self.recipe.learning_rule
        inferences = len(training.inputs) * training.epoch
        with counted_neurons(training.model) as counted:
            evaluations = training.held_out_scores()
        trained, neurons = fmean(evaluations), neuron_summary(training.model, counted)
        measured: dict[str, Any] = {"held_out": trained, "chips": spread([trained])}
        if recipe.evaluation.repeats > 1:
            measured["evaluations"] = spread(evaluations)
        if training.stopping is not None:
            measured["stopping"] = training.stopping.summary(len(training.stopping.task.test_labels))
        if rule.kept is not None:
            measured["rule"] = rule.kept(training.model, training.task.test_inputs[:KEPT_SAMPLES])
        counts, breakdown = programming_counts(training.model), EnergyBreakdown()
        if rule.energy is not None:
            breakdown = rule.energy(training.learner, recipe.rule)
        if device is not None:
            second = _second_arrays(training)
            breakdown = programming_energy(training.model) + second.total
            counts |= second.summary()
            after = weight_histogram(training.model).cpu()
            before = training.histogram_before
            unseen = self._program_chips(training)
            if rule.measured_on_new_chips:
                measured = {"held_out": unseen.accuracy["mean"], "chips": unseen.accuracy}
                measured["precursor_accuracy"] = trained
                neurons = unseen.neurons
                counts, breakdown, before, after = unseen.counts, unseen.breakdown, unseen.once, unseen.verified
            else:
                measured["unseen_chips"] = {**unseen.accuracy, "max_attempts": recipe.transfer.max_attempts}
            assert before is not None
            histograms = {
                "range": list(training.weight_range),
                "levels": training.levels,
                "before": before.tolist(),
                "after": after.tolist(),
                "meaning": list(rule.histograms),
            }
            atomic_write(self.directory / "histograms.json", json.dumps(histograms) + "\n")
        if recipe.evaluation.uncertainty:
            measured["uncertainty"] = measure_and_keep(training, self.directory)
        validating = recipe.dataset.validation_samples > 0
        held_out = measured.pop("held_out")
        return {
            "schema": SCHEMA,
            "mode": recipe.mode,
            "states": None if device is None else round(device.states),
            "seed": recipe.seed,
            "epochs": training.epoch,
            "dataset": {
                "name": dataset.name,
                "source": dataset.source,
                "train_samples": len(training.inputs),
                "test_samples": 0 if validating else len(training.task.test_inputs),
                "validation_samples": recipe.dataset.validation_samples,
            },
            "device": device_summary(recipe, device),
            **score_summary(training.task.score, held_out, training.train_score(), validating),
            **measured,
            **({} if training.start_score is None else {"start_score": training.start_score}),
            **summary_of_precursor(self.directory),
            "figures": training.figures(),
            "steps": training.batches * training.epoch,
            "programming": counts,
            "monitoring": None if device is None else asdict(rule.monitoring(recipe.rule, round(device.states))),
            "writes": writes_of_devices(training.model) if rule.programs_while_training else None,
            "energy": energy_summary(breakdown, inferences),
            "account": self._account(training, breakdown),
            **({} if neurons is None else {"neurons": neurons}),
            "digital_weights": [] if device is None else conversion_report(training.model).summary(),
            "network_code": code_summary(recipe.network.factory),
            "recipe": recipe.model_dump(),
            "wall_seconds": sum(line["seconds"] for line in metrics),
            "assumed": [*assumptions(device), *rule.assumed(recipe.rule)],
            "notes": [
                *self.notes,
                *lengthened(self.directory, recipe),
                *choice_of_machine(recipe.autocast, training.inputs.device),
            ],
            "software": software(),
        }

    def _account(self, training: Training, programmed: EnergyBreakdown) -> dict[str, Any] | None:
        """The whole energy of the training on the default chip; None for a network that it cannot hold."""
        recipe = self.recipe
        if not recipe.learning_rule.on_devices:
            return None
        try:
            account = account_of(
                training.model,
                recipe,
                load_chip(node=recipe.energy.node),
                training.inputs[:CALIBRATION_SAMPLES].cpu(),
                steps=training.batches * recipe.epochs,
                samples=len(training.inputs),
                programmed=programmed if recipe.learning_rule.measured_on_new_chips else None,
                second=_second_arrays(training),
            )
        except InputError as error:
            self.notes = (*self.notes, f"no account of the whole energy: {error}")
            return None
        return account.summary()

    def _program_chips(self, training: Training) -> _Chips:
        """Program fresh chips with the trained states and measure each."""
        transfer = self.recipe.transfer
        scores, counts, total = [], [], EnergyBreakdown()
        first: tuple[torch.Tensor, torch.Tensor] | None = None
        neurons: dict[str, Any] | None = None
        where = training.noise.device
        with display_of(self.progress).task(f"{_title(self.recipe)}: chips", total=transfer.chips) as advance:
            for chip in range(transfer.chips):
                seed = f"chip {chip}"
                generator = stream(self.recipe.seed, seed, where)
                deployed = fresh_chip(training.model, generator, max_attempts=transfer.max_attempts)
                with counted_neurons(deployed) as counted:
                    scores.append(training.held_out_score(deployed))
                counts.append(programming_counts(deployed))
                total += programming_energy(deployed)
                if first is None:
                    neurons = neuron_summary(deployed, counted)
                    once = fresh_chip(training.model, stream(self.recipe.seed, seed, where), max_attempts=1)
                    first = weight_histogram(once).cpu(), weight_histogram(deployed).cpu()
                advance(1)
        assert first is not None
        return _Chips(spread(scores), mean_counts(counts), total / transfer.chips, *first, neurons)


@dataclass(frozen=True)
class _Chips:
    """Result of programming fresh chips: accuracies, mean counts and energy; weights and neurons of the first chip."""

    accuracy: dict[str, Any]
    counts: dict[str, Any]
    breakdown: EnergyBreakdown
    once: torch.Tensor
    verified: torch.Tensor
    neurons: dict[str, Any] | None


def _second_arrays(training: Training) -> SecondArrays:
    """What the arrays beside those of the weights have counted."""
    return SecondArrays.of(training.recipe.learning_rule.second_arrays(training.learner))


def _cumulative(training: Training) -> dict[str, Any]:
    counts = programming_counts(training.model)
    second = _second_arrays(training)
    return {
        "events": counts["initial_events"] + counts["training_events"],
        "attempts": counts["attempts"],
        "events_by_layer": {
            name: layer["initial_events"] + layer["training_events"] for name, layer in counts["by_layer"].items()
        },
        "programming_joule": (programming_energy(training.model) + second.total).total,
    }


def _title(recipe: Recipe) -> str:
    states = f" {recipe.states} states" if recipe.learning_rule.on_devices else ""
    return f"{recipe.mode}{states} seed {recipe.seed}"
