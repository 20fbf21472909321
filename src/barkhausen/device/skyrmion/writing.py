"""Sequences of voltage pulses on thermal replicas of a disc, and the textures that they lead to."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from barkhausen.core.files import atomic_write
from barkhausen.device.skyrmion.parameters import SkyrmionParameters, WritePulse
from barkhausen.device.skyrmion.textures import start
from barkhausen.micromagnetics import Drive, Film, MeanMagnetisation, Simulation, Texture, Waveform
from barkhausen.version import __version__

THERMAL = 0.3e-9
"""Time in s for which replicas fluctuate before the first pulse."""

SHOWN = 24
"""Replicas whose m_z is kept in time."""

EVERY = 100e-12
"""Time in s between two records of it."""


@dataclass(frozen=True)
class PulseSequence:
    """Pulses on replicas of one category, with a read after each.

    Args:
        category: Category that the replicas start from.
        pulses: Pulses by name; ``hold`` is none.
        replicas: Number of replicas.
        seed: Seed of the noise.
    """

    category: int
    pulses: tuple[str, ...]
    replicas: int
    seed: int


@dataclass(frozen=True)
class Outcomes:
    """Textures and mean m_z of replicas after each pulse.

    Args:
        before: Category of each replica before the first pulse.
        category: Category after each pulse.
        mz: Mean m_z after each pulse.
        time: Times of the records in s, counted from the start of the first pulse.
        traces: m_z of the first replicas at these times.
        voltage: Voltage at these times.
        average: m_z of each replica averaged over the whole time.
    """

    before: Int[np.ndarray, " replica"]
    category: Int[np.ndarray, "pulse replica"]
    mz: Float[np.ndarray, "pulse replica"]
    time: Float[np.ndarray, " time"]
    traces: Float[np.ndarray, "shown time"]
    voltage: Float[np.ndarray, " time"]
    average: Float[np.ndarray, " replica"]

    def plain(self) -> dict[str, np.ndarray]:
        """All arrays by name."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def counts(self, categories: int = 5) -> Int[np.ndarray, "pulse category category"]:
        """Events by category before the first pulse and after each pulse of the sequence."""
        found = np.zeros((len(self.category), categories, categories), np.int64)
        for stage, after in enumerate(self.category):
            np.add.at(found[stage], (self.before, after), 1)
        return found


def joined(parts: Sequence[Outcomes]) -> Outcomes:
    """Outcomes of several chunks of replicas as one; traces are those of the first."""
    first = parts[0]
    return replace(
        first,
        before=np.concatenate([part.before for part in parts]),
        category=np.concatenate([part.category for part in parts], axis=1),
        mz=np.concatenate([part.mz for part in parts], axis=1),
        average=np.concatenate([part.average for part in parts]),
    )


def run(
    parameters: SkyrmionParameters,
    sequence: PulseSequence,
    *,
    film: Film | None = None,
    cell: float | None = None,
    checkpoint: Path | None = None,
    threads: int | None = None,
    done: Callable[[int], None] = lambda replicas: None,
) -> Outcomes:
    """Apply a sequence of pulses to thermal replicas, chunk by chunk; finished chunks are kept in ``checkpoint``.

    Args:
        parameters: Parameters of the device.
        sequence: Category, pulses, number of replicas and seed.
        film: Discs of the replicas: replica r is on disc r modulo their number. Default: one disc.
        cell: Edge of the cells in m. Default: that of the parameters.
        checkpoint: Directory of finished chunks.
        threads: Threads of the compiled kernel.
        done: Function that is called with the number of replicas of each finished chunk.
    """
    discs = parameters.film(cell=cell) if film is None else film
    parts = []
    size = parameters.characterisation.chunk
    for number, first in enumerate(range(0, sequence.replicas, size)):
        replicas = min(size, sequence.replicas - first)
        name = None if checkpoint is None else checkpoint / f"{_digest(parameters, sequence, discs, number)}.npz"
        if name is not None and name.is_file():
            with np.load(name, allow_pickle=False) as kept:
                parts.append(Outcomes(**{key: kept[key] for key in kept.files}))
        else:
            parts.append(_chunk(parameters, sequence, discs, first, replicas, cell=cell, threads=threads))
            if name is not None:
                name.parent.mkdir(parents=True, exist_ok=True)
                _save(parts[-1], name)
        done(replicas)
    return joined(parts)


def wave(parameters: SkyrmionParameters, pulse: WritePulse) -> Waveform:
    """Trapezoid of one pulse from time 0."""
    edge = parameters.writing.edge
    return Waveform.pulse(pulse.voltage, pulse.width, rise=edge, fall=edge)


def pulse_named(parameters: SkyrmionParameters, name: str) -> WritePulse | None:
    """The pulse of that name; None for ``hold``."""
    return None if name == "hold" else getattr(parameters.writing, name)


def duration_of(parameters: SkyrmionParameters, name: str) -> float:
    """Time in s of a pulse and the rest after it, or of a hold."""
    pulse, writing = pulse_named(parameters, name), parameters.writing
    time = parameters.characterisation.hold if pulse is None else pulse.width + 2 * writing.edge + writing.rest
    return float(np.ceil(time / EVERY - 1e-6) * EVERY)


def _chunk(
    parameters: SkyrmionParameters,
    sequence: PulseSequence,
    discs: Film,
    first: int,
    replicas: int,
    *,
    cell: float | None,
    threads: int | None,
) -> Outcomes:
    gate = parameters.gate(cell)
    film = discs.assign(torch.arange(first, first + replicas) % discs.devices) if discs.devices > 1 else discs
    simulation = Simulation(
        film,
        replicas=replicas,
        seed=_seed(sequence, first),
        temperature=parameters.characterisation.temperature,
        initial=start(film, sequence.category),
        threads=threads,
    )
    simulation.advance(THERMAL)
    texture, mean = Texture(), MeanMagnetisation()
    before = simulation.read(texture).numpy()
    codes, final, times, traces, volts, total, records = [], [], [], [], [], np.zeros(replicas), 0
    began = 0.0
    for name in sequence.pulses:
        pulse, duration = pulse_named(parameters, name), duration_of(parameters, name)
        drive = Drive() if pulse is None else Drive(gate_voltage=wave(parameters, pulse), gate=gate)
        result = simulation.advance(duration, drive, observe=[mean], every=EVERY)
        assert result is not None
        mz = result["m"].sel(component="z").transpose("replica", "time").values
        inside = EVERY * np.arange(1, mz.shape[1] + 1)
        times.append(began + inside)
        traces.append(mz[:SHOWN])
        volts.append(
            np.zeros(len(inside)) if pulse is None else wave(parameters, pulse)(torch.as_tensor(inside))[:, 0].numpy()
        )
        total, records = total + mz.sum(1), records + mz.shape[1]
        codes.append(simulation.read(texture).numpy())
        final.append(mz[:, -1])
        began += duration
    return Outcomes(
        before, np.stack(codes), np.stack(final), np.concatenate(times), np.concatenate(traces, 1),
        np.concatenate(volts), total / records,
    )  # fmt: skip


def _seed(sequence: PulseSequence, first: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{sequence.seed} {first} {sequence.category}".encode()).digest()[:4], "big")


def _digest(parameters: SkyrmionParameters, sequence: PulseSequence, film: Film, number: int) -> str:
    """Name of a chunk: everything that its outcomes depend on."""
    plain = parameters.model_dump(mode="json")
    for name in ("junction", "read", "study"):
        plain.pop(name)
    plain["characterisation"].pop("replicas")
    parts = [plain, sequence.category, list(sequence.pulses), sequence.seed, number, film.describe(), __version__]
    last = [min(sequence.replicas - number * parameters.characterisation.chunk, parameters.characterisation.chunk)]
    return hashlib.sha256(json.dumps([*parts, *last], sort_keys=True, default=str).encode()).hexdigest()[:24]


def _save(outcomes: Outcomes, path: Path) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **outcomes.plain())  # type: ignore[arg-type]
    atomic_write(path, content.getvalue())
