"""The search of ``barkhausen design``: from a search file to a confirmed device design.

A directory belongs to one search. All files in it are written atomically; after an interruption the same call resumes
and ends with the same files.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tomli_w

from barkhausen.core.config import differing, flat
from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write, claimed_directory, read_json
from barkhausen.core.progress import Progress, display_of
from barkhausen.core.seeds import mixed_seed
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.design import (
    BATCH,
    FAMILIES,
    Candidate,
    DesignSpace,
    Family,
    Score,
    StateStatistics,
    Vector,
    best_by_generation,
    cheapest,
    scenarios,
    search,
    sensitivity,
    trials,
)
from barkhausen.device.domain_wall.design.front import Found
from barkhausen.experiment.design.archive import CsvArchive
from barkhausen.experiment.design.calibration import calibrated
from barkhausen.experiment.design.confirmation import confirm, plain
from barkhausen.experiment.design.front.points import CsvPoints
from barkhausen.experiment.design.front.work import POINTS, FrontWork
from barkhausen.experiment.design.search_file import EXTENSIBLE, SearchRecipe, held_search, load_search
from barkhausen.experiment.summary import software
from barkhausen.micromagnetics import Film
from barkhausen.micromagnetics.backend import check_choice
from barkhausen.micromagnetics.temperature.averages import film_of_averages
from barkhausen.version import __version__

SEARCH, CANDIDATES, CONFIRMED = "search.toml", "candidates.csv", "confirmed"
CALIBRATION = "calibration.json"
DESIGNED, RESULT = "designed.toml", "design.json"

FINALISTS = 8
"""Smallest number of candidates of each family that are evaluated again."""

REMEASURED = 4
"""Factor on the number of devices when a finalist is evaluated again. The devices are fresh, so that luck in the search
does not count."""

Assessment = tuple[Score, StateStatistics]

DURING, AFTERWARDS = len(FAMILIES), len(FAMILIES) + 1
"""Random streams of devices and noise during and after the search, distinct from those of the search itself."""


def design_to_directory(
    source: Path,
    out: Path,
    *,
    settings: Sequence[str] = (),
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
    progress: Progress | bool | None = None,
) -> dict[str, Any]:
    """Search for designs, confirm the best ones micromagnetically, and write the results.

    Writes ``design.json`` with ``designed.toml`` and ``candidates.csv`` or, for a front, with ``designs/`` and
    ``points.csv``.

    Args:
        source: Search file.
        out: Directory of the search, in which an interrupted search resumes.
        settings: Assignments ``key=value`` that replace values of the file.
        backend, threads, accelerator: As in :func:`barkhausen.micromagnetics.simulate`, for the confirmation.
        progress: Progress display.

    Returns:
        Content of ``design.json``.

    Raises:
        InputError: The file is wrong, or the directory holds another search or cannot be written.
    """
    recipe = load_search(source, settings)
    check_choice(backend, accelerator)
    front = recipe.search.mode != "cost"
    if not front:
        _check_gate(recipe)
    held = out / SEARCH
    with claimed_directory(out, SEARCH, "a search"):
        if held.exists():
            _check_same(recipe, held)
        atomic_write(held, recipe.to_toml())
        compact = recipe.search.compact
        if recipe.search.calibrate:
            compact = calibrated(recipe, out / CALIBRATION, backend, threads, display_of(progress))
        simulating = {"backend": backend, "threads": threads, "accelerator": accelerator}
        result: dict[str, Any]
        if front:
            result = FrontWork(recipe, compact, out, display_of(progress)).result(simulating, source.name)
        else:
            result, best = _Work(recipe, compact, out, display_of(progress)).result(simulating)
            atomic_write(out / DESIGNED, _toml_of(best, source.name))
        atomic_write(out / RESULT, json.dumps(result, indent=1, allow_nan=False) + "\n")
    return result


def finished_search(directory: Path) -> tuple[dict[str, Any], list[Candidate]]:
    """Results of a finished search: the content of ``design.json``, and all evaluated candidates.

    Raises:
        InputError: The search is not finished, or a file is missing or damaged.
    """
    recipe = held_search(directory / SEARCH)
    archive = CsvArchive(directory / CANDIDATES, _spaces(recipe))
    return read_json(directory / RESULT), archive.candidates


def is_front(directory: Path) -> bool:
    """Whether the search in a directory is one for a front.

    Raises:
        InputError: There is no search.
    """
    return held_search(directory / SEARCH).search.mode != "cost"


def finished_front(directory: Path) -> tuple[dict[str, Any], list[Found]]:
    """Results of a finished search for a front: the content of ``design.json``, and all evaluated points.

    Raises:
        InputError: The search is not finished, or a file is missing or damaged.
    """
    recipe = held_search(directory / SEARCH)
    return read_json(directory / RESULT), CsvPoints(directory / POINTS, recipe.front_space()).points


@dataclass
class _Finalist:
    """A candidate evaluated again on fresh devices and, if selected, micromagnetically."""

    candidate: Candidate
    parameters: DeviceParameters
    score: Score
    states: StateStatistics
    confirmed: dict[str, Any] | None = None

    @property
    def confirmed_cost(self) -> float:
        """Micromagnetic cost; infinite if there is none."""
        score = (self.confirmed or {}).get("score")
        return math.inf if score is None else float(score["cost"])

    def described(self, space: DesignSpace) -> dict[str, Any]:
        """Everything that the page shows about it."""
        return {
            "name": self.candidate.name,
            "generation": self.candidate.generation,
            "variables": [
                {"name": v.name, "value": value, "low": v.low, "high": v.high, "unit": v.unit}
                for v, value in zip(space.variables, self.candidate.vector, strict=True)
            ],
            "searched": asdict(self.candidate.score),
            "compact": {"score": asdict(self.score), "states": plain(self.states)},
            "confirmed": self.confirmed,
            "notches": [notch.position for notch in self.parameters.shape.notches],
        }


class _Work:
    """One search in its directory."""

    def __init__(self, recipe: SearchRecipe, compact: CompactParameters, directory: Path, progress: Progress) -> None:
        self.recipe, self.settings, self.compact = recipe, recipe.search, compact
        self.directory, self.progress = directory, progress
        self.temperature = recipe.device.characterisation.temperature
        self.spaces = _spaces(recipe)
        self.archive = CsvArchive(directory / CANDIDATES, self.spaces)

    def result(self, simulating: dict[str, Any]) -> tuple[dict[str, Any], _Finalist]:
        """Search, evaluate finalists again, confirm them and scan their surroundings; return the page's data and the
        best design."""
        settings = self.settings
        found = {family: self._searched(family) for family in settings.families}
        ranks = max(FINALISTS, math.ceil(settings.confirm / len(settings.families)))
        finalists = {family: self._measured_again(cheapest(rows, ranks)) for family, rows in found.items()}
        ranked = _best_of_each_first(list(finalists.values()))
        for finalist in ranked[: settings.confirm]:
            finalist.confirmed = self._confirmed(finalist, simulating)
        best = min(ranked, key=lambda finalist: (finalist.confirmed_cost, finalist.score.cost))
        families = [
            {
                "family": family,
                "candidates": len(rows),
                "best_by_generation": best_by_generation(rows, settings.generations),
                "finalists": [finalist.described(self.spaces[family]) for finalist in finalists[family]],
            }
            for family, rows in found.items()
        ]
        family = best.candidate.family
        return {
            "format_version": 1,
            "code_version": __version__,
            "software": software(),
            "recipe": self.recipe.model_dump(mode="json", exclude_none=True),
            "compact": self.compact.model_dump(),
            "remeasured_on": settings.devices * settings.cycles * REMEASURED,
            "confirmed_on": settings.devices * settings.cycles,
            "families": families,
            "best": {
                "family": family,
                "rank": finalists[family].index(best),
                "confirmed": math.isfinite(best.confirmed_cost),
                "parameters": best.parameters.model_dump(mode="json", exclude_none=True),
            },
            "around": self._around(best),
            "assumed": [*best.parameters.assumed(), *best.parameters.assumed_of_simulation()],
        }, best

    def _searched(self, family: Family) -> list[Candidate]:
        settings, space = self.settings, self.spaces[family]

        def evaluate(vectors: Sequence[Vector]) -> list[Score]:
            devices = [space.decode(vector) for vector in vectors]
            found = self._assessed(devices, DURING, settings.devices, self.temperature)
            return [score for score, _ in found]

        with self.progress.task(family, settings.population * (settings.generations + 1)) as advance:
            return search(
                space,
                evaluate,
                self.archive,
                generations=settings.generations,
                population=settings.population,
                seed=mixed_seed(settings.seed, FAMILIES.index(family)),
                advance=advance,
            )

    def _measured_again(self, candidates: Sequence[Candidate]) -> list[_Finalist]:
        """Finalists in order of their cost on fresh devices."""
        devices = [self.spaces[c.family].decode(c.vector) for c in candidates]
        found = self._assessed_again(devices, self.temperature, f"{candidates[0].family}: finalists")
        finalists = [_Finalist(c, d, *pair) for c, d, pair in zip(candidates, devices, found, strict=True)]
        return sorted(finalists, key=lambda finalist: finalist.score.cost)

    def _confirmed(self, finalist: _Finalist, simulating: dict[str, Any]) -> dict[str, Any]:
        settings = self.settings
        how = finalist.parameters.characterisation.model_copy(
            update={"devices": settings.devices, "cycles": settings.cycles}
        )
        return confirm(
            finalist.parameters.model_copy(update={"characterisation": how}),
            self.directory / CONFIRMED / finalist.candidate.name,
            settings.weights,
            progress=self.progress,
            **simulating,
        )

    def _around(self, best: _Finalist) -> dict[str, Any]:
        """Sensitivity and scenarios of a design, on the compact model."""

        def assess(devices: Sequence[DeviceParameters], kelvin: float) -> list[Score]:
            return [score for score, _ in self._assessed_again(devices, kelvin, "around the best design")]

        space = self.spaces[best.candidate.family]
        sweeps, own = sensitivity(space, best.candidate.vector, assess, self.temperature)
        return {
            "own": [asdict(score) for score in own],
            "sweeps": [asdict(sweep) for sweep in sweeps],
            "scenarios": [asdict(scenario) for scenario in scenarios(best.parameters, assess)],
        }

    def _assessed_again(self, devices: Sequence[DeviceParameters], kelvin: float, title: str) -> list[Assessment]:
        """Evaluations on more, fresh devices."""
        size, found = max(1, BATCH // REMEASURED), []
        with self.progress.task(title, len(devices)) as advance:
            for start in range(0, len(devices), size):
                batch = devices[start : start + size]
                found += self._assessed(batch, AFTERWARDS, REMEASURED * self.settings.devices, kelvin)
                advance(len(batch))
        return found

    def _assessed(
        self, devices: Sequence[DeviceParameters], phase: int, number: int, kelvin: float
    ) -> list[Assessment]:
        settings = self.settings
        found = trials(
            devices,
            devices=number,
            cycles=settings.cycles,
            seed=mixed_seed(settings.seed, phase),
            temperature=kelvin,
            compact=self.compact,
        )
        return [trial.assess(device, settings.weights) for trial, device in zip(found, devices, strict=True)]


def _best_of_each_first(families: Sequence[Sequence[_Finalist]]) -> list[_Finalist]:
    """Finalists in the order: best of each family, second best of each family, and so on; each rank by cost."""
    ranks = range(max(len(finalists) for finalists in families))
    return [
        finalist
        for rank in ranks
        for finalist in sorted((f[rank] for f in families if rank < len(f)), key=lambda finalist: finalist.score.cost)
    ]


def _spaces(recipe: SearchRecipe) -> dict[Family, DesignSpace]:
    """Design spaces of all families, since a directory may hold more of them than this search uses."""
    spaces: dict[Family, DesignSpace] = {}
    for family in FAMILIES:
        try:
            spaces[family] = recipe.space(family)
        except InputError:
            if family in recipe.search.families:
                raise
    return spaces


def _toml_of(best: _Finalist, source: str) -> str:
    """Parameter file of the best design, with its origin.

    Values of track and junction that the user did not give are left out, so that a characterisation still lists them as
    assumed.
    """
    parameters = best.parameters
    values = parameters.model_dump(mode="json", exclude_none=True)
    for table in ("track", "junction"):
        values[table] = getattr(parameters, table).model_dump(mode="json", exclude_unset=True)
    how = "confirmed" if math.isfinite(best.confirmed_cost) else "NOT confirmed"
    lines = [
        f"# Designed from {source} by barkhausen {__version__}: {best.candidate.family}, {how} micromagnetically.",
        *(f"# assumed: {line}" for line in parameters.assumed()),
    ]
    return "\n".join(lines) + "\n\n" + tomli_w.dumps(values)


def _check_gate(recipe: SearchRecipe) -> None:
    """Refuse voltages that leave no perpendicular anisotropy, before anything is computed."""
    device = recipe.device
    kelvin, compact = device.characterisation.temperature, recipe.search.compact
    per_volt = device.gate_at(kelvin).anisotropy_per_volt
    lowest = min(per_volt * voltage for voltage in recipe.search.ranges.gate_voltage)
    grid = device.shape.outline(device.track).grid(device.track.thickness, device.characterisation.cell)
    film = Film(grid, device.material)
    if device.material.constants_at > 0:
        film, compact = film_of_averages(film, kelvin), compact.model_copy(update={"order": 1.0})
    try:
        CompactModel(film, compact).landscape(lowest)
    except InputError as error:
        raise InputError(f"search.ranges.gate_voltage: {error}") from None


def _check_same(recipe: SearchRecipe, held: Path) -> None:
    """Raise :class:`InputError` if the directory holds another search. A search may differ in its length."""
    mine = flat(recipe.resolved())
    theirs = flat(held_search(held).resolved())
    for key in differing(mine, theirs):
        if key not in EXTENSIBLE:
            raise InputError(
                f"{held.parent}: holds a search with {key} = {theirs.get(key)!r}, this one has {mine.get(key)!r}; "
                "choose another --out"
            )
