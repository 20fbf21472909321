"""Pulse trains on replicas of a track: each integrates, fires when the junction says so, is reset, and goes on."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from barkhausen.core.files import atomic_write
from barkhausen.device.antiferromagnet.nanotrack import READ, junction_of, nanotrack, skyrmions_at
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.device.antiferromagnet.thiele import INTEGRALS, ShapeIntegrals
from barkhausen.micromagnetics import (
    Drive,
    Observable,
    OfNeelVector,
    Simulation,
    SkyrmionPosition,
    SkyrmionRadius,
)
from barkhausen.version import __version__

INTEGRATES, RESETS, LOST = range(3)
"""What a replica does: take inputs, come back after firing, nothing any more since its skyrmion is gone."""

PLACES = OfNeelVector(SkyrmionPosition())
RADII = OfNeelVector(SkyrmionRadius())

OF_PERIODS = ("mode", "before", "pulsed", "after", "conductance", "fired", "came_back")
"""Arrays [period, replica] that a train leaves."""


@dataclass(frozen=True)
class Train:
    """A pulse train on replicas.

    Args:
        inputs: Input of each replica, relative to the current density of the parameters; 0: it leaks.
        starts: Place of each skyrmion before the first pulse in m.
        periods: Number of periods.
        temperature: Temperature in K.
        seed: Seed of the noise.
    """

    inputs: tuple[float, ...]
    starts: tuple[float, ...]
    periods: int
    temperature: float
    seed: int

    @property
    def replicas(self) -> int:
        """Number of replicas."""
        return len(self.inputs)


def run(
    parameters: AntiferromagnetParameters,
    train: Train,
    *,
    checkpoint: Path | None = None,
    threads: int | None = None,
    done: Callable[[int], None] = lambda periods: None,
) -> xr.Dataset:
    """Apply a train to replicas, all at once. After each period the state is kept in ``checkpoint``; the same call
    resumes there and ends with the same bytes.

    Args:
        parameters: Parameters of the device.
        train: Inputs, places, number of periods, temperature, seed.
        checkpoint: Directory of finished work.
        threads: Threads of torch. Default: as they are.
        done: Function that is called with the number of replica-periods of each step.

    Returns:
        ``x``, ``y``, ``radius`` (m) and ``current`` (A/m²) [time, replica], at 0 K ``integrals`` [time, replica,
        integral] too; and what :data:`OF_PERIODS` names [period, replica]: places before and after the pulse and after
        the pause, the conductance found, whether the neuron fired, and whether a reset that ended here brought it back.
    """
    path = None if checkpoint is None else checkpoint / f"{_digest(parameters, train)}.npz"
    if threads is not None:
        torch.set_num_threads(threads)
    running = _Running(parameters, train)
    if path is not None and path.is_file():
        with np.load(path, allow_pickle=False) as kept:
            running.load({name: kept[name] for name in kept.files})
        done(running.period * train.replicas)
    while running.period < train.periods:
        running.step()
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = io.BytesIO()
            np.savez(content, **running.state())  # type: ignore[arg-type]
            atomic_write(path, content.getvalue())
        done(train.replicas)
    return running.dataset()


class _Running:
    """A train under way: simulation, what each replica does, and records so far."""

    def __init__(self, parameters: AntiferromagnetParameters, train: Train) -> None:
        self.parameters, self.train = parameters, train
        self.stack = stack = nanotrack(parameters)
        self.junction = junction_of(parameters, stack)
        self.simulation = Simulation(
            stack,
            replicas=train.replicas,
            seed=train.seed,
            temperature=train.temperature,
            initial=skyrmions_at(parameters, stack, train.starts),
        )
        # Electrical noise of the reads; its stream has nothing in common with that of the magnetisation.
        self.noise = torch.Generator().manual_seed(train.seed ^ 0x5EED)
        self.period = -1
        self.mode = torch.full((train.replicas,), INTEGRATES)
        self.waited = torch.zeros(train.replicas, dtype=torch.int64)
        self.empty = torch.zeros(train.replicas, dtype=torch.float64)
        self.events: dict[str, list[np.ndarray]] = {name: [] for name in OF_PERIODS}
        self.records: dict[str, list[np.ndarray]] = {}

    def step(self) -> None:
        """One period; before the first one the time in which the texture settles."""
        parameters, how, train = self.parameters, self.parameters.characterisation, self.parameters.train
        nothing = torch.zeros(self.train.replicas, dtype=torch.float64)
        if self.period < 0:
            self._advance(how.every * max(1, round(how.settle / how.every)), nothing)
            # The skyrmion is not yet at the detector: this is what an empty window gives.
            own = self._conductance()
            away = torch.tensor(self.train.starts) < parameters.track.rest + parameters.reset.tolerance
            self.empty = torch.where(away, own, own[away].mean() if bool(away.any()) else self.junction.empty)
            self.period = 0
        mode = self.mode.clone()
        before = self.simulation.read(PLACES)[:, 0]
        level = train.current_density * torch.tensor(self.train.inputs, dtype=torch.float64)
        back = torch.full_like(level, -parameters.reset.current_density)
        pulse = torch.where(mode == INTEGRATES, level, torch.where(mode == RESETS, back, nothing))
        self._advance(train.width, pulse)
        pulsed = self.simulation.read(PLACES)[:, 0]
        conductance = self._conductance()
        if self.train.temperature > 0:
            noise = torch.randn(self.train.replicas, generator=self.noise, dtype=torch.float64)
            conductance = conductance + self.junction.noise * noise
        self._advance(train.pause, torch.where(mode == RESETS, back, nothing))
        after = self.simulation.read(PLACES)[:, 0]
        threshold = self.empty + parameters.detector.level * self.junction.step
        driven = (mode == INTEGRATES) & (level > 0)
        fired = driven & (conductance > threshold)
        came_back = self._follow(mode, fired, after)
        found = (mode, before, pulsed, after, conductance, fired, came_back)
        for name, values in zip(OF_PERIODS, found, strict=True):
            self.events[name].append(values.numpy().copy())
        self.period += 1

    def _follow(self, mode: Tensor, fired: Tensor, after: Tensor) -> Tensor:
        """Set what each replica does next. Gives 1 where a reset ended well here, 0 where not, −1 where none ended."""
        reset, rest = self.parameters.reset, self.parameters.track.rest
        self.waited = torch.where(mode == RESETS, self.waited + 1, 0)
        ended = (mode == RESETS) & (self.waited >= reset.periods)
        good = (after - rest).abs() <= reset.tolerance
        came_back = torch.where(ended, good.to(torch.int64), -1)
        self.mode = torch.where(fired, RESETS, torch.where(ended, INTEGRATES, mode))
        # No skyrmion, or more than one: nothing that a pulse could move.
        self.mode = torch.where(after.isnan(), LOST, self.mode)
        return came_back

    def _conductance(self) -> Tensor:
        """Conductance in S of the junction of each replica."""
        by_layer: Tensor = self.stack.split(self.simulation.read(self.junction.observable))
        return by_layer[:, READ]

    def _advance(self, duration: float, current: Tensor) -> None:
        observe: list[Observable] = [PLACES, RADII]
        if self.train.temperature == 0:
            observe.append(ShapeIntegrals())
        every = self.parameters.characterisation.every
        found = self.simulation.advance(duration, Drive(current_density=current), observe, every)
        assert found is not None
        places = found["neel_skyrmion_position"].transpose("time", "replica", "axis").values
        values = {
            "time": found["time"].values,
            "x": places[..., 0],
            "y": places[..., 1],
            "radius": found["neel_skyrmion_radius"].transpose("time", "replica").values,
            "current": np.broadcast_to(current.numpy(), places.shape[:2]).copy(),
        }
        if "integrals" in found:
            values["integrals"] = found["integrals"].transpose("time", "replica", "layer", "integral").values.mean(2)
        for name, value in values.items():
            self.records.setdefault(name, []).append(value)

    def state(self) -> dict[str, np.ndarray]:
        """Everything that the rest of the train depends on, and the records so far."""
        kept = {f"simulation/{name}": value.numpy() for name, value in self.simulation.state_dict().items()}
        kept |= {f"event/{name}": np.stack(values) for name, values in self.events.items()}
        kept |= {f"record/{name}": np.concatenate(values) for name, values in self.records.items()}
        own = {"mode": self.mode, "waited": self.waited, "empty": self.empty, "noise": self.noise.get_state()}
        return kept | {name: value.numpy() for name, value in own.items()} | {"period": np.array(self.period)}

    def load(self, kept: dict[str, np.ndarray]) -> None:
        """Resume from :meth:`state`."""

        def part(name: str) -> dict[str, np.ndarray]:
            return {key.partition("/")[2]: value for key, value in kept.items() if key.startswith(f"{name}/")}

        self.simulation.load_state_dict({key: torch.from_numpy(value) for key, value in part("simulation").items()})
        self.events = {name: list(values) for name, values in part("event").items()}
        self.records = {name: [values] for name, values in part("record").items()}
        self.mode, self.waited = torch.from_numpy(kept["mode"]), torch.from_numpy(kept["waited"])
        self.empty, self.period = torch.from_numpy(kept["empty"]), int(kept["period"])
        self.noise.set_state(torch.from_numpy(kept["noise"]))

    def dataset(self) -> xr.Dataset:
        """Records and events by name."""
        records = {name: np.concatenate(values) for name, values in self.records.items()}
        time = records.pop("time")
        units = {"x": "m", "y": "m", "radius": "m", "current": "A/m2", "before": "m", "pulsed": "m", "after": "m",
                 "conductance": "S"}  # fmt: skip
        contents: dict[str, Any] = {
            name: (("time", "replica", "integral")[: values.ndim], values, {"units": units.get(name, "1")})
            for name, values in records.items()
        }
        for name, values in self.events.items():
            table = np.stack(values)
            kind = np.int8 if table.dtype.kind in "bi" else np.float64
            contents[name] = (("period", "replica"), table.astype(kind), {"units": units.get(name, "1")})
        coordinates: dict[str, Any] = {
            "time": ("time", time, {"units": "s"}),
            "input": ("replica", np.array(self.train.inputs)),
        }
        if "integrals" in records:
            coordinates["integral"] = list(INTEGRALS)
        return xr.Dataset(contents, coordinates)


def _digest(parameters: AntiferromagnetParameters, train: Train) -> str:
    """Name of a train: everything that its outcome depends on."""
    plain = parameters.model_dump(mode="json")
    if parameters.conductor.strips == 2:
        # Of the conductor, only the number of strips decides what the currents do.
        plain.pop("conductor")
    for name in ("replicas", "chunk", "still", "seed", "temperature"):
        plain["characterisation"].pop(name)
    plain["train"].pop("inputs")
    plain["train"].pop("periods")
    given: Sequence[Any] = [plain, train.inputs, train.starts, train.periods, train.temperature, train.seed]
    return hashlib.sha256(json.dumps([*given, __version__], sort_keys=True).encode()).hexdigest()[:24]
