"""A trained network that is left alone: its accuracy after waiting at several temperatures, and what keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from barkhausen.core.errors import InputError
from barkhausen.core.progress import Progress, display_of
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.recipe import Recipe
from barkhausen.experiment.retention.refresh import POLICIES, Refresh, find_refresh
from barkhausen.experiment.retention.settings import DAY, TEN_YEARS, RetentionSettings
from barkhausen.experiment.retention.waiting import Draws, Waited, waited
from barkhausen.experiment.summary import software, spread
from barkhausen.experiment.summary_file import read_summary
from barkhausen.experiment.tasks import task_of
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import synapse_layers
from barkhausen.synapse.escape import Escape, EscapeModel

STANDARD = {"ten_years_300_kelvin": (300.0, TEN_YEARS), "day_358_kelvin": (358.0, DAY)}
"""Temperature in K and waiting time in s of the two conditions that every analysis has, by the name of their column."""

DEVIATIONS = {"": 0.0, "low": -1.96, "high": 1.96}
"""Standard errors by which barriers are shifted: as they are, and the ends of their 95 % interval."""

ASSUMED = (
    "while a network waits it is not read, and nothing but heat moves its walls",
    "an escaping wall comes to rest in the next state, with the weight of a device that was programmed there, or at an "
    "end of the track, where it stays until it is reset",
    "every synapse has the escape rates of one of the characterised devices, drawn at random",
    "refresh: the states to be restored are kept in a digital memory, whose energy is not included, nor is that of "
    "comparators, converters and control",
)


@dataclass(frozen=True, eq=False)
class Condition:
    """A network after one waiting time at one temperature.

    Attributes:
        temperature, seconds: Temperature in K and waiting time in s.
        barriers: ``""`` for the barriers of the file, ``"low"`` and ``"high"`` for the ends of their 95 % interval.
        draws: Each draw.
    """

    temperature: float
    seconds: float
    barriers: str
    draws: tuple[Waited, ...]

    @property
    def accuracy(self) -> float:
        """Mean accuracy over draws."""
        return fmean(draw.accuracy for draw in self.draws)


@dataclass(frozen=True, eq=False)
class Retention:
    """Results of a network that is left alone."""

    run: str
    recipe: Recipe
    device: CharacterisedDevice
    device_name: str
    transferred: bool
    settings: RetentionSettings
    fresh: tuple[float, ...]
    """Accuracy of each draw before waiting."""
    conditions: tuple[Condition, ...]
    escapes: Mapping[tuple[float, str], Escape]
    """Escape rates by temperature and barriers."""
    refreshes: tuple[Refresh, ...]
    synapses: int

    @property
    def policies(self) -> tuple[str, ...]:
        """Names of the refresh policies."""
        return tuple(POLICIES)

    @property
    def accuracy(self) -> float:
        """Mean accuracy over draws before waiting."""
        return fmean(self.fresh)

    def at(self, temperature: float, seconds: float, barriers: str = "") -> Condition:
        """The network after one waiting time at one temperature."""
        return next(
            found
            for found in self.conditions
            if (found.temperature, found.seconds, found.barriers) == (temperature, seconds, barriers)
        )

    def summary(self) -> dict[str, Any]:
        """Summary for a JSON file, in SI units; accuracies are fractions."""
        escape = next(iter(self.escapes.values()))
        return {
            "run": self.run,
            "mode": self.recipe.mode,
            "states": self.device.states,
            "seed": self.recipe.seed,
            "dataset": self.recipe.dataset.name,
            "measured_on": "validation" if self.recipe.dataset.validation_samples else "test",
            "device": self.device_name,
            "network": "transferred" if self.transferred else "trained",
            "synapses": self.synapses,
            "fresh": spread(list(self.fresh)),
            "conditions": [
                {
                    "temperature": found.temperature,
                    "seconds": found.seconds,
                    "barriers": found.barriers,
                    "accuracy": spread([draw.accuracy for draw in found.draws]),
                    "moved": fmean(draw.moved for draw in found.draws),
                    "lost": fmean(draw.lost for draw in found.draws),
                }
                for found in self.conditions
            ],
            "barriers": {
                "method": escape.method,
                "relative_error": escape.error,
                "scaled": any(each.scaled for each in self.escapes.values()),
                "temperature": _own_temperature(self.device),
            },
            "retention": [
                {
                    "temperature": temperature,
                    "barriers": barriers,
                    "median": each.exceeded_by(0.5).tolist(),
                    "tenth": each.exceeded_by(0.9).tolist(),
                }
                for (temperature, barriers), each in self.escapes.items()
            ],
            "refresh": [self._refresh(found) for found in self.refreshes],
            "policies": POLICIES,
            "settings": self.settings.model_dump(mode="json"),
            "assumed": [*ASSUMED, *_of_barriers(self), *self.device.assumed],
            "software": software(),
        }

    def _refresh(self, found: Refresh) -> dict[str, Any]:
        return {
            "temperature": found.temperature,
            "needed": found.needed,
            "period": found.period,
            "loss": found.loss,
            "losses": list(found.losses),
            "reprogrammed": found.reprogrammed,
            "sample": found.sample,
            "labels": dict(found.labels),
            "energy_joule": {policy: dict(energy) for policy, energy in found.energy.items()},
            "energies_joule": list(found.energies),
            "power_watt": {policy: found.power(policy) for policy in POLICIES},
        }


def _of_barriers(found: Retention) -> list[str]:
    escapes = found.escapes.values()
    escape = next(iter(escapes))
    lines = [f"energy barriers: {escape.method}"]
    if escape.error is None:
        lines[0] += ", whose error the device file does not give"
    else:
        lines[0] += f", with a relative standard error of {100 * escape.error:.3g} %"
    own = _own_temperature(found.device)
    others = [f"{each.temperature:g}" for each in escapes if own is None or each.temperature != own]
    if any(each.scaled for each in escapes):
        lines.append(
            f"barriers and attempt frequencies at other temperatures than {own:g} K: those of the file times the ratio "
            "of the computed ones"
        )
    elif others:
        lines.append(f"barriers at {', '.join(dict.fromkeys(others))} K: those of the file, not adjusted")
    return lines


def retention_of(
    run: Path,
    settings: RetentionSettings | None = None,
    *,
    data_dir: Path | None = None,
    progress: Progress | bool | None = None,
) -> Retention:
    """Leave the network of a finished run alone, and measure it.

    Args:
        run: Directory of a finished run on devices.
        settings: Settings.
        data_dir: Root of the data sets.
        progress: Progress display.

    Raises:
        InputError: The run is not finished or has no devices, or its device file has no barriers.
    """
    settings = RetentionSettings() if settings is None else settings
    trained = load_trained(run, None, data_dir)
    recipe = trained.recipe
    if not recipe.learning_rule.on_devices:
        raise InputError(f"{run}: is a {recipe.mode} run, which has no devices that could lose their states")
    programs = recipe.learning_rule.programs_while_training
    if settings.network == "trained" and not programs:
        raise InputError(
            f"{run}: network = 'trained': {recipe.mode} trains no devices; only 'transferred' applies to it"
        )
    task = task_of(recipe, recipe.dataset.load(data_dir), torch.device("cpu"))
    transferred = not programs if settings.network is None else settings.network == "transferred"
    draws = Draws(trained.model, recipe, task, transferred, settings.draws)
    device = next(layer for _, layer in synapse_layers(trained.model)).synapses.kind.device
    times = _times(settings)
    escapes = _escapes(device, tuple(times))
    total = settings.draws * (1 + sum(len(times[temperature]) for temperature, _ in escapes))
    with display_of(progress).task(f"{run.name}: waiting", total=total) as advance:
        fresh = []
        for number in range(settings.draws):
            fresh.append(draws.accuracy(draws.chip(number)))
            advance(1)
        conditions = []
        for (temperature, barriers), escape in escapes.items():
            rows = [waited(draws, number, escape, times[temperature], advance) for number in range(settings.draws)]
            conditions += [
                Condition(temperature, seconds, barriers, tuple(row[place] for row in rows))
                for place, seconds in enumerate(times[temperature])
            ]
    refreshes = []
    wanted = settings.temperatures if settings.refresh else ()
    with display_of(progress).task(f"{run.name}: refresh", total=len(wanted)) as advance:
        for temperature in wanted:
            refreshes.append(find_refresh(draws, fresh, escapes[temperature, ""], settings))
            advance(1)
    return Retention(
        run=run.name,
        recipe=recipe,
        device=device,
        device_name=_device_name(run),
        transferred=transferred,
        settings=settings,
        fresh=tuple(fresh),
        conditions=tuple(conditions),
        escapes=escapes,
        refreshes=tuple(refreshes),
        synapses=draws.synapses,
    )


def _own_temperature(device: CharacterisedDevice) -> float | None:
    """Temperature in K at which a device was characterised; None if the file does not say."""
    own = device.data.attrs.get("temperature")
    return None if own is None else float(own)


def _device_name(run: Path) -> str:
    """Preset or file of the device that a run was started with."""
    device = read_summary(run / "summary.json")[0]["device"]
    return str(device.get("preset") or device.get("file"))


def _times(settings: RetentionSettings) -> dict[float, tuple[float, ...]]:
    """Waiting times in s of each temperature, those of the standard conditions included."""
    times = {temperature: set(settings.times) for temperature in settings.temperatures}
    for temperature, seconds in STANDARD.values():
        times.setdefault(temperature, set()).add(seconds)
    return {temperature: tuple(sorted(found)) for temperature, found in sorted(times.items())}


def _escapes(device: CharacterisedDevice, temperatures: tuple[float, ...]) -> dict[tuple[float, str], Escape]:
    model = EscapeModel(device)
    found = {(temperature, ""): model.at(temperature) for temperature in temperatures}
    if next(iter(found.values())).error is not None:
        for temperature in temperatures:
            for name, deviations in DEVIATIONS.items():
                if deviations:
                    found[temperature, name] = model.at(temperature, deviations=deviations)
    return found
