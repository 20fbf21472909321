"""Simulation of a train of pulses: devices × cycles as the replicas of one thermal ensemble.

The wall is followed through every pulse and every delay. Work is kept after each pulse, and a simulation that was
interrupted resumes to the last bit.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr

from barkhausen.core.files import atomic_write
from barkhausen.core.limits import check_memory
from barkhausen.core.progress import Progress, display_of
from barkhausen.device.domain_wall.trains.parameters import PulsedTrackParameters
from barkhausen.micromagnetics import Drive, Simulation, WallCount, WallPosition, Waveform, domain_wall
from barkhausen.micromagnetics.checkpoints import OtherSimulationError
from barkhausen.micromagnetics.ensemble import BYTES_OF_A_CELL

COLUMNS = ("wall_position", "wall_count")
OBSERVED = (WallPosition(), WallCount())


def simulate_train(
    parameters: PulsedTrackParameters,
    *,
    thermal: bool = True,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
    backend: str = "auto",
    threads: int | None = None,
    accelerator: str = "cpu",
) -> xr.Dataset:
    """Positions of the walls of an ensemble in a train of pulses.

    Args:
        parameters: Track, train, and numbers of devices and cycles.
        thermal: Whether the film fluctuates at ``characterisation.temperature``. Otherwise each device is simulated
            once at 0 K, in a film whose constants are the averages at that temperature: the same device without noise.
        checkpoint: Directory in which work is kept; the same call resumes. The caller deletes it.
        progress, backend, threads, accelerator: As in :func:`barkhausen.micromagnetics.simulate`.

    Returns:
        ``wall_position`` (m) and ``wall_count`` [pulse, record, device, cycle]. Pulse 0 is the settling before the
        first pulse. Record 0 is the end of a pulse; the others divide its delay, and the last is its end. ``time``
        [pulse, record] in s counts from the start, ``sign`` [pulse] is 1, −1 or, for pulse 0, 0.

    Raises:
        InputError: The parameters do not describe a possible device.
    """
    how, train = parameters.characterisation, parameters.train
    cycles = how.cycles if thermal and how.temperature > 0 else 1
    replicas = how.devices * cycles
    film = parameters.film() if thermal else parameters.film_at(how.temperature)
    check_memory(
        BYTES_OF_A_CELL * film.grid.cells * float(replicas),
        f"characterisation: {how.devices} devices x {cycles} cycles of {film.grid.cells} cells",
    )
    currents = {
        sign: Drive(
            current_density=Waveform.pulse(
                sign * train.current_density, train.width, rise=train.edge_time, fall=train.edge_time
            )
        )
        for sign in (1, -1)
    }
    rest = Drive(current_density=0.0)
    chosen = film.assign(torch.arange(how.devices).repeat_interleave(cycles))
    start = domain_wall(film, torch.full((replicas,), parameters.start, dtype=torch.float64))
    options: dict[str, Any] = {
        "replicas": replicas, "seed": how.seed, "temperature": how.temperature if thermal else 0.0,
        "initial": start, "integrator": how.integrator,
        "backend": backend, "threads": threads, "device": accelerator,
    }  # fmt: skip
    dt = how.dt or train.step(Simulation(chosen, currents[1], **options).dt)
    run = Simulation(chosen, rest, dt=dt, **options)
    shape = (1 + len(train.signs), 1 + train.records)
    found = {name: np.full((*shape, replicas), np.nan) for name in COLUMNS}
    times = np.zeros(shape)
    about = parameters.model_dump_json()
    done = _resumed(run, checkpoint, found, times, about)
    every = train.delay / train.records
    with display_of(progress).task("replica-records", replicas * shape[0]) as made:
        made(replicas * done)
        for number, sign in enumerate([0, *train.signs]):
            if number < done:
                continue
            if sign:
                run.advance(train.pulse_time, currents[sign])
            elif train.settle > 0:
                run.advance(train.settle, rest)
            _keep(found, times, (number, slice(0, 1)), run.observe(OBSERVED).expand_dims("time"), run.time)
            # The first record has no delay: its values are those of the settled wall.
            if sign:
                after = run.advance(train.delay, rest, OBSERVED, every)
                assert after is not None
                _keep(found, times, (number, slice(1, None)), after, after["time"].values)
            else:
                for values in (*found.values(), times):
                    values[0, 1:] = values[0, :1]
            made(replicas)
            _save(run, checkpoint, (found, times, about), number + 1)
    return _labelled(found, times, [0, *train.signs], (how.devices, cycles), run)


def _keep(
    found: dict[str, np.ndarray],
    times: np.ndarray,
    place: tuple[int, slice],
    observed: xr.Dataset,
    time: float | np.ndarray,
) -> None:
    for name in COLUMNS:
        found[name][place] = observed[name].transpose("time", "replica").values
    times[place] = time


Records = tuple[dict[str, np.ndarray], np.ndarray, str]


def _save(run: Simulation, checkpoint: Path | None, records: Records, done: int) -> None:
    """Write the state after a number of pulses, then the records up to it; the older state is deleted last."""
    if checkpoint is None:
        return
    found, times, about = records
    checkpoint.mkdir(parents=True, exist_ok=True)
    run.save(checkpoint / f"state-{done}.safetensors")
    content = io.BytesIO()
    kept: dict[str, Any] = {"done": np.array(done), "about": np.array(about), "times": times, **found}
    np.savez(content, **kept)
    atomic_write(checkpoint / "records.npz", content.getvalue())
    (checkpoint / f"state-{done - 1}.safetensors").unlink(missing_ok=True)


def _resumed(
    run: Simulation, checkpoint: Path | None, found: dict[str, np.ndarray], times: np.ndarray, about: str
) -> int:
    """Load unfinished work, and return the number of pulses that it holds."""
    if checkpoint is None or not (checkpoint / "records.npz").is_file():
        return 0
    path = checkpoint / "records.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            done, other = int(kept["done"]), str(kept["about"])
            values = {name: kept[name] for name in (*COLUMNS, "times")}
    except (OSError, ValueError, KeyError) as error:
        raise OtherSimulationError(path, f"holds no records of a train ({error})") from None
    if other != about:
        raise OtherSimulationError(path, "holds the records of another train")
    run.load(checkpoint / f"state-{done}.safetensors")
    for name, array in (*found.items(), ("times", times)):
        array[...] = values[name]
    return done


def _labelled(
    found: dict[str, np.ndarray], times: np.ndarray, signs: list[int], shape: tuple[int, int], run: Simulation
) -> xr.Dataset:
    places = ("pulse", "record", "device", "cycle")
    full = (*times.shape, *shape)
    return xr.Dataset(
        {
            "wall_position": (places, found["wall_position"].reshape(full), {"units": "m"}),
            "wall_count": (places, np.nan_to_num(found["wall_count"].reshape(full)).astype(np.int8), {"units": "1"}),
        },
        coords={
            "time": (("pulse", "record"), times, {"units": "s"}),
            "sign": ("pulse", np.array(signs, np.int8), {"long_name": "sign of the pulse; 0: none"}),
        },
        attrs={
            "dt": run.dt,
            "backend": str(run.attributes["backend"]),
            "temperature": str(run.attributes["temperature"]),
        },
    )
