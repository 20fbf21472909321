"""From points to tasks: every recipe resolved and checked, every task with its address, before anything runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import tomli_w
from pydantic import ConfigDict, Field

from barkhausen.core.config import StrictParameters, flat, validated
from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset
from barkhausen.device import DeviceParameters
from barkhausen.experiment.recipe import Recipe, device_file, recipe_from
from barkhausen.sweep.keys import address_of, canonical, code_version, file_digest
from barkhausen.sweep.sweep_file import Kind, Sweep
from barkhausen.synapse.crossbar.chip import load_chip

CHIP, INFERENCE = "chip", "inference"
"""Tables of the chip's keys, and of what is done with it, among the settings and values of an inference."""


class Inference(StrictParameters):
    """What is done with a network on a chip; see :func:`.infer_on_chip`."""

    model_config = ConfigDict(allow_inf_nan=False)

    fine_tuning_epochs: Annotated[int, Field(ge=0)] = 0
    """Of training on the chip."""
    inferences: Annotated[float, Field(ge=0)] = 0.0
    """Whose reads disturb the walls first."""
    number: Annotated[int, Field(ge=0)] | None = None
    """Of the fresh chip of devices."""


@dataclass(frozen=True)
class Task:
    """One computation.

    Attributes:
        kind: what is done.
        address: digest of all that decides its numbers.
        settings: what it differs in from the base of the sweep, by dotted key.
        values: the resolved recipe (with the chip, in an inference) or device parameters, as JSON.
        given: device parameters as they were given, without defaults, as JSON; empty for other kinds.
        device: SHA-256 of the device file that it uses.
        code: version of the code that it was planned with.
        threads: CPU threads that it takes.
        shown: what the table says of every network: mode, states, seed, dataset, device.
        needs: the training whose network is put on a chip.
    """

    kind: Kind
    address: str
    settings: Mapping[str, Any]
    values: str
    device: str | None
    code: str
    threads: int
    given: str = ""
    shown: Mapping[str, Any] = field(default_factory=dict)
    needs: Task | None = None

    def resolved(self) -> dict[str, Any]:
        """The resolved values as nested tables."""
        values: dict[str, Any] = json.loads(self.values)
        return values

    def describe(self) -> dict[str, Any]:
        """The content of its ``task.json``."""
        return {
            "kind": self.kind,
            "address": self.address,
            "settings": dict(self.settings),
            "values": self.resolved(),
            "device_sha256": self.device,
            "code_version": self.code,
            "needs": None if self.needs is None else self.needs.address,
        }


class Planner:
    """Makes tasks out of settings. What many tasks have in common (device files, chips, trainings) is read once.

    Args:
        sweep: says what the settings are put on top of.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep, self.code = sweep, code_version()
        self._states: dict[tuple[Any, ...], int] = {}
        self._digests: dict[Path, str] = {}
        self._chips: dict[str, dict[str, Any]] = {}
        self._trainings: dict[str, Task] = {}

    def task(self, settings: Mapping[str, Any]) -> Task:
        """The task of these settings.

        Raises:
            InputError: a key or value is unknown or wrong, or a device file cannot be used.
        """
        everything = {**self.sweep.file.set, **settings}
        if self.sweep.file.task == "characterize":
            return self._characterisation(everything, settings)
        if self.sweep.file.task == "train":
            return self._training(everything, settings)
        return self._inference(everything, settings)

    def _training(self, everything: Mapping[str, Any], settings: Mapping[str, Any]) -> Task:
        values = _placed(self.sweep.base, everything, self.sweep.origin)
        if "device.file" in everything:
            _without_preset(values, everything)
        if "threads" not in everything:
            values["threads"] = self.sweep.file.threads
        recipe = self._recipe(values)
        file = None if recipe.mode == "float" else device_file(recipe)
        resolved = recipe.model_dump(exclude_none=True)
        # The content of a device file decides, not where it lies; a float network has none.
        resolved["device"].pop("file", None)
        digest = None if file is None else self._digest(file)
        address = address_of("train", _that_counts(resolved), digest, self.code)
        if file is not None and recipe.device.file is not None:
            resolved["device"]["file"] = str(file.resolve())
        return Task(
            kind="train",
            address=address,
            settings=settings,
            values=canonical(resolved),
            device=digest,
            code=self.code,
            threads=recipe.threads or self.sweep.file.threads,
            shown=_shown(recipe),
        )

    def _inference(self, everything: Mapping[str, Any], settings: Mapping[str, Any]) -> Task:
        of_chip = {key: value for key, value in everything.items() if key.startswith(f"{CHIP}.")}
        of_inference = {key: value for key, value in everything.items() if key.startswith(f"{INFERENCE}.")}
        of_recipe = {key: value for key, value in everything.items() if key not in {*of_chip, *of_inference}}
        name = canonical(of_recipe)
        if name not in self._trainings:
            self._trainings[name] = self._training(of_recipe, of_recipe)
        training = self._trainings[name]
        if training.shown["mode"] == "float":
            raise InputError(f"{self.sweep.origin}: mode = 'float': has no devices to put on a chip (task = 'infer')")
        chip = self._chip(of_chip)
        how = validated(Inference, _placed({}, of_inference, self.sweep.origin).get(INFERENCE, {}), self.sweep.origin)
        given = {CHIP: chip, INFERENCE: how.model_dump(exclude_none=True)}
        # The training's address stands for its recipe and its device file.
        address = address_of("infer", {"training": training.address, **given}, training.device, self.code)
        return Task(
            kind="infer",
            address=address,
            settings=settings,
            values=canonical(training.resolved() | given),
            device=training.device,
            code=self.code,
            threads=training.threads,
            shown=training.shown,
            needs=training,
        )

    def _characterisation(self, everything: Mapping[str, Any], settings: Mapping[str, Any]) -> Task:
        given = _placed(self.sweep.base, everything, self.sweep.origin)
        parameters = validated(DeviceParameters, given, self.sweep.origin)
        values = parameters.model_dump(mode="json")
        address = address_of("characterize", values, None, self.code)
        return Task(
            kind="characterize",
            address=address,
            settings=settings,
            values=canonical(values),
            device=None,
            code=self.code,
            threads=self.sweep.file.threads,
            given=canonical(given),
        )

    def _recipe(self, values: dict[str, Any]) -> Recipe:
        """As :func:`.recipe_from`, which reads the device file of each; here once for each that is like another."""
        recipe = validated(Recipe, values, self.sweep.origin)
        given = recipe.states if "states" in recipe.model_fields_set else None
        like = (recipe.mode == "float", recipe.device.file, recipe.device.preset, given)
        if like not in self._states:
            self._states[like] = recipe_from(values, self.sweep.origin).states
        return recipe.model_copy(update={"states": self._states[like]})

    def _digest(self, file: Path) -> str:
        if file not in self._digests:
            self._digests[file] = file_digest(file)
        return self._digests[file]

    def _chip(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        key = canonical(settings)
        if key not in self._chips:
            given = flat(self.sweep.chip) | {name.removeprefix(f"{CHIP}."): value for name, value in settings.items()}
            lines = [f"{name}={tomli_w.dumps({'value': value}).partition('=')[2]}" for name, value in given.items()]
            try:
                self._chips[key] = load_chip(None, lines).model_dump()
            except InputError as error:
                raise InputError(f"{self.sweep.origin}: {error}") from None
        return self._chips[key]


def check_data(tasks: Iterable[Task], data_dir: Path | None) -> None:
    """Read (or download) every data set once, here and not in every worker at a time.

    Raises:
        InputError: one is unknown or not to be had, or has too few samples to set so many aside.
    """
    seen: set[tuple[str, int]] = set()
    for task in tasks:
        if task.kind == "characterize":
            continue
        table = task.resolved()["dataset"]
        name, samples = table["name"], table["validation_samples"]
        if (name, samples) not in seen:
            seen.add((name, samples))
            dataset = load_dataset(name, data_dir)
            if samples:
                dataset.with_validation(samples)


def _placed(base: Mapping[str, Any], settings: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """The base with settings in their places; the base itself is left alone."""
    values: dict[str, Any] = json.loads(json.dumps(base))
    for key, value in settings.items():
        *tables, last = key.split(".")
        table = values
        for name in tables:
            table = table.setdefault(name, {})
            if not isinstance(table, dict):
                raise InputError(f"{origin}: {key} = {value!r}: '{name}' is not a table")
        table[last] = list(value) if isinstance(value, tuple) else value
    return values


def _without_preset(values: dict[str, Any], settings: Mapping[str, Any]) -> None:
    """A device file takes the place of the base's preset and states, as with ``barkhausen train --set``."""
    if "states" not in settings:
        values.pop("states", None)
    for name in ("preset", "sigma"):
        if f"device.{name}" not in settings:
            values["device"].pop(name, None)


def _that_counts(resolved: Mapping[str, Any]) -> dict[str, Any]:
    """Of a resolved recipe what decides its numbers: a float network knows of no devices."""
    if resolved["mode"] != "float":
        return dict(resolved)
    values = {key: value for key, value in resolved.items() if key not in ("states", "device", "faults", "transfer")}
    values["optimizer"] = {key: value for key, value in values["optimizer"].items() if key != "latent_rate"}
    return values


def _shown(recipe: Recipe) -> dict[str, Any]:
    is_float = recipe.mode == "float"
    choice = recipe.device
    device = choice.file if choice.file is not None else f"{choice.preset}-{recipe.states}"
    return {
        "mode": recipe.mode,
        "states": None if is_float else recipe.states,
        "seed": recipe.seed,
        "dataset": recipe.dataset.name,
        "device": "none" if is_float else device,
    }
