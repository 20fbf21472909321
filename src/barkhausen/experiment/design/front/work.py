"""A search for a front in its directory: the search, its finalists on fresh devices, and their confirmation.

All files are written atomically; after an interruption the same call resumes and ends with the same files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from barkhausen.core.errors import InputError
from barkhausen.core.files import atomic_write
from barkhausen.core.progress import Progress
from barkhausen.core.seeds import mixed_seed
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.device.domain_wall.design.front import (
    Appraisal,
    Conditions,
    Found,
    Merits,
    Objective,
    appraise,
    front,
    goal,
    trade,
)
from barkhausen.experiment.design.front.confirmation import confirm, merits_from, with_drive
from barkhausen.experiment.design.front.points import CsvPoints
from barkhausen.experiment.design.search_file import SearchRecipe
from barkhausen.experiment.summary import software
from barkhausen.version import __version__

POINTS, CONFIRMED, DESIGNS = "points.csv", "confirmed", "designs"

FINALISTS = 24
"""Largest number of points that are evaluated again."""

REMEASURED = 4
"""Factor on the number of devices when a finalist is evaluated again. The devices are fresh, so that luck in the search
does not count."""

DURING, AFTERWARDS = 0, 1
"""Random streams of devices and noise during and after the search."""


@dataclass
class Finalist:
    """A point evaluated again on fresh devices and, if selected, micromagnetically."""

    point: Found
    parameters: DeviceParameters
    merits: Merits
    confirmed: dict[str, Any] | None = None


class FrontWork:
    """One search in its directory.

    Args:
        recipe: Search file.
        compact: Parameters of the compact model for the motion of walls.
        directory: Directory of the search.
        progress: Progress display.
    """

    def __init__(self, recipe: SearchRecipe, compact: CompactParameters, directory: Path, progress: Progress) -> None:
        self.recipe, self.settings, self.compact = recipe, recipe.search, compact
        self.directory, self.progress = directory, progress
        self.space = recipe.front_space()
        self.points = CsvPoints(directory / POINTS, self.space)
        self.refused = ""

    def result(self, simulating: dict[str, Any], source: str) -> dict[str, Any]:
        """Search, evaluate finalists again, confirm some of them, and write a parameter file of each.

        Args:
            simulating: Backend, threads and accelerator of the confirmation.
            source: Name of the search file.

        Returns:
            Content of ``design.json``.

        Raises:
            InputError: A file is damaged or cannot be written.
        """
        settings = self.settings
        found = self._searched()
        finalists = self._measured_again(self._selected(found))
        kept = [finalist for finalist in finalists if settings.limits_of_search.kept_by(finalist.merits)]
        simulated = _ends_first(_spread(kept, settings.confirm))
        others = sorted((f for f in finalists if f not in kept), key=lambda finalist: self._broken(finalist.merits))
        for finalist in (simulated + others)[: settings.confirm]:
            finalist.confirmed = self._confirmed(finalist, simulating)
        for number, finalist in enumerate(finalists):
            atomic_write(self.directory / DESIGNS / f"{number:02d}.toml", self._toml_of(finalist, source))
        return {
            "format_version": 1,
            "kind": "front",
            "code_version": __version__,
            "software": software(),
            "recipe": self.recipe.resolved(),
            "compact": self.compact.model_dump(),
            "evaluated": len(found),
            "possible": sum(point.merits is not None for point in found),
            "feasible": sum(point.feasible(settings.limits_of_search) for point in found),
            "remeasured_on": settings.devices * settings.cycles * REMEASURED,
            "by_generation": self._by_generation(found),
            "finalists": [self._described(number, finalist) for number, finalist in enumerate(finalists)],
            "assumed": self._assumed(finalists),
        }

    def _searched(self) -> list[Found]:
        settings = self.settings
        with self.progress.task(settings.mode, settings.population * (settings.generations + 1)) as advance:
            return trade(
                self.space,
                self._evaluated,
                self.points,
                objectives=settings.sought,
                limits=settings.limits_of_search,
                generations=settings.generations,
                population=settings.population,
                seed=mixed_seed(settings.seed, DURING) % 2**32,
                enough=settings.enough,
                starts=[self.recipe.device] if self.recipe.device.shape.notches else [],
                advance=advance,
            )

    def _evaluated(self, generation: int, vectors: Sequence[tuple[float, ...]]) -> list[Found]:
        devices: dict[int, DeviceParameters] = {}
        for number, vector in enumerate(vectors):
            try:
                devices[number] = self.space.decode(vector)
            except InputError as error:
                # Such as notches too long for the track, which the ranges do not exclude.
                self.refused = self.refused or str(error).removeprefix("search.variables: ")
                continue
        appraisals = appraise(list(devices.values()), self._conditions(DURING, self.settings.devices))
        by_number = dict(zip(devices, appraisals, strict=True))
        found = []
        for number, vector in enumerate(vectors):
            appraisal = by_number.get(number)
            voltages = () if appraisal is None else appraisal.parameters.protocol.gate_voltages or ()
            found.append(Found(generation, vector, voltages, None if appraisal is None else appraisal.merits))
        return found

    def _conditions(self, phase: int, devices: int) -> Conditions:
        settings = self.settings
        return Conditions(
            devices=devices,
            cycles=settings.cycles,
            seed=mixed_seed(settings.seed, 2 + phase),
            temperature=self.recipe.device.characterisation.temperature,
            kept_at=self.recipe.kept_at,
            compact=self.compact,
            barrier_factor=settings.barrier_factor,
        )

    def _selected(self, found: Sequence[Found]) -> list[Found]:
        """Points for another evaluation: the front (with one objective: the best), else those nearest to the limits."""
        settings = self.settings
        best = front(found, settings.sought, settings.limits_of_search, settings.enough)
        if len(settings.sought) == 1:
            kept = {point.vector: point for point in found if point.feasible(settings.limits_of_search)}
            best = sorted(kept.values(), key=lambda p: front_key(p, settings.sought[0]))
        if best:
            places = np.unique(np.linspace(0, len(best) - 1, min(FINALISTS, len(best))).round().astype(int))
            return [best[k] for k in places] if len(settings.sought) > 1 else best[: FINALISTS // 3]
        possible = {p.vector: (self._broken(p.merits), p) for p in found if p.merits is not None}
        if not possible:
            reason = f"; the first: {self.refused}" if self.refused else ""
            raise InputError(f"search.variables: no device of these ranges is possible{reason}")
        return [point for _, point in sorted(possible.values(), key=itemgetter(0))][: FINALISTS // 3]

    def _broken(self, merits: Merits) -> float:
        """By how much limits of the search are broken."""
        return sum(max(0.0, broken) for broken in self.settings.limits_of_search.violations(merits).values())

    def _measured_again(self, points: Sequence[Found]) -> list[Finalist]:
        """The points on more, fresh devices, with the voltages that the search chose."""
        devices = []
        for point in points:
            device = self.space.decode(point.vector)
            protocol = device.protocol.model_copy(update={"gate_voltages": point.voltages})
            devices.append(device.model_copy(update={"protocol": protocol}))
        number, found = REMEASURED * self.settings.devices, list[Appraisal | None]()
        with self.progress.task("finalists", len(devices)) as advance:
            for start in range(0, len(devices), 8):
                batch = devices[start : start + 8]
                found += appraise(batch, self._conditions(AFTERWARDS, number))
                advance(len(batch))
        return [
            Finalist(point, appraisal.parameters, appraisal.merits)
            for point, appraisal in zip(points, found, strict=True)
            if appraisal is not None
        ]

    def _confirmed(self, finalist: Finalist, simulating: dict[str, Any]) -> dict[str, Any]:
        settings = self.settings
        return confirm(
            finalist.parameters,
            self.space.voltages(finalist.parameters),
            self.directory / CONFIRMED / _name(finalist.point),
            scanned=min(settings.scanned, finalist.parameters.characterisation.devices),
            cycles=settings.scan.cycles,
            kept_at=self.recipe.kept_at,
            progress=self.progress,
            **simulating,
        )

    def _by_generation(self, found: Sequence[Found]) -> list[dict[str, Any]]:
        """Number of points that keep all limits, and the best of each objective among them, up to each generation."""
        settings, rows = self.settings, list[dict[str, Any]]()
        for generation in range(settings.generations + 1):
            kept = [p for p in found if p.generation <= generation and p.feasible(settings.limits_of_search)]
            best: dict[str, float | None] = {}
            for objective in settings.sought:
                point = min(kept, key=lambda p: front_key(p, objective), default=None)
                best[objective] = None if point is None else float(getattr(point.merits, objective))
            rows.append({"feasible": len(kept), **best})
        return rows

    def _described(self, number: int, finalist: Finalist) -> dict[str, Any]:
        point, settings = finalist.point, self.settings
        assert point.merits is not None
        confirmed = None if finalist.confirmed is None else merits_from(finalist.confirmed)
        return {
            "name": _name(point),
            "file": f"{DESIGNS}/{number:02d}.toml",
            "generation": point.generation,
            "variables": [
                {"name": v.name, "value": value, "low": v.low, "high": v.high, "unit": v.unit}
                for v, value in zip(self.space.variables, point.vector, strict=True)
            ],
            "voltages": list(point.voltages),
            "searched": asdict(point.merits),
            "merits": asdict(finalist.merits),
            "keeps_limits": settings.limits_of_search.kept_by(finalist.merits),
            "confirmed": finalist.confirmed,
            "confirmed_keeps_limits": None if confirmed is None else settings.limits.kept_by(confirmed),
            "parameters": finalist.parameters.model_dump(mode="json", exclude_none=True),
        }

    @staticmethod
    def _assumed(finalists: Sequence[Finalist]) -> list[str]:
        if not finalists:
            return []
        first = finalists[0].parameters
        return [*first.assumed(), *first.assumed_of_simulation()]

    def _toml_of(self, finalist: Finalist, source: str) -> str:
        """Parameter file of a finalist, with its origin; the voltages are those of its confirmation if it has one."""
        parameters = finalist.parameters
        voltages = (finalist.confirmed or {}).get("voltages")
        if voltages is not None:
            protocol = parameters.protocol.model_copy(update={"gate_voltages": tuple(voltages)})
            assert finalist.confirmed is not None
            parameters = with_drive(
                parameters.model_copy(update={"protocol": protocol}), finalist.confirmed["drive_factor"]
            )
        values = parameters.model_dump(mode="json", exclude_none=True)
        for table in ("track", "junction"):
            values[table] = getattr(parameters, table).model_dump(mode="json", exclude_unset=True)
        how = "confirmed" if voltages is not None else "NOT confirmed"
        lines = [
            f"# Designed from {source} by barkhausen {__version__}, {how} micromagnetically.",
            *(f"# assumed: {line}" for line in parameters.assumed()),
        ]
        return "\n".join(lines) + "\n\n" + tomli_w.dumps(values)


def front_key(point: Found, objective: Objective) -> float:
    """What a search minimises of a possible point."""
    assert point.merits is not None
    return goal(point.merits, objective)


def _name(point: Found) -> str:
    """Name made of a digest of the point."""
    return hashlib.sha256(" ".join(value.hex() for value in point.vector).encode()).hexdigest()[:10]


def _ends_first(finalists: list[Finalist]) -> list[Finalist]:
    """The same finalists, both ends before those between: where only some are simulated, these say the most."""
    return finalists[:1] + finalists[1:][-1:] + finalists[1:-1]


def _spread(finalists: Sequence[Finalist], number: int) -> list[Finalist]:
    """So many finalists, evenly spread along their order; a single one is the first."""
    if number >= len(finalists):
        return list(finalists)
    if number <= 1:
        return list(finalists[: max(0, number)])
    places = np.linspace(0, len(finalists) - 1, number).round().astype(int)
    return [finalists[k] for k in places]
