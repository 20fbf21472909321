"""simulate(): the same replicas however they are divided, what is recorded, and what is refused."""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    Drive,
    EdgeRoughness,
    Energy,
    Exchange,
    Film,
    Grid,
    IntegrationError,
    MeanMagnetisation,
    PerpendicularMap,
    StrainGate,
    TrackOutline,
    WallPosition,
    Waveform,
    Zeeman,
    advise_step,
    choose_backend,
    compiled,
    domain_wall,
    material,
    material_names,
    plan,
    random_state,
    simulate,
    standard_terms,
    track_film,
    uniform,
)
from barkhausen.micromagnetics.backend import bytes_per_replica

GRID = Grid(16, 4, 4e-9, 4e-9, 1e-9)
MATERIAL = material("cofeb-tantalum")
FILM = Film(GRID, MATERIAL)
REPLICAS = 35
TERMS = standard_terms(MATERIAL)

BACKENDS = ["torch", pytest.param("compiled", marks=pytest.mark.skipif(
    not compiled.available(), reason=compiled.unavailable_reason() or ""))]  # fmt: skip
each_backend = pytest.mark.parametrize("backend", BACKENDS)


pytestmark = pytest.mark.usefixtures("one_thread")


def family() -> Film:
    """Five devices of different shape and anisotropy."""
    generator = torch.Generator().manual_seed(0)
    fill = torch.rand(5, *GRID.shape, dtype=torch.float64, generator=generator)
    fill = torch.where(fill < 0.2, 0.0, torch.where(fill > 0.5, 1.0, fill + 0.4))
    anisotropy = 0.8e6 * (0.9 + 0.2 * torch.rand(5, *GRID.shape, dtype=torch.float64, generator=generator))
    return Film(GRID, MATERIAL, fill, anisotropy)


def device_of(replica: int) -> int:
    return replica % 5


FULL = family().assign([device_of(r) for r in range(REPLICAS)])
CURRENT = torch.linspace(-2e11, 2e11, REPLICAS)
VOLTAGE = torch.linspace(0.0, 1.0, REPLICAS).flip(0)


def drive_of(rows: list[int]) -> Drive:
    return Drive(current_density=Waveform.pulse(CURRENT[rows], width=1e-12, rise=0.5e-12),
                 gate_voltage=VOLTAGE[rows], gate=StrainGate())  # fmt: skip


def run(backend: str, film: Film = FULL, rows: list[int] | None = None, **changes: Any) -> xr.Dataset:
    rows = list(range(REPLICAS)) if rows is None else rows
    arguments: dict[str, Any] = {
        "duration": 2e-12, "every": 0.5e-12, "replicas": len(rows), "temperature": 300.0, "seed": 7,
        "backend": backend, "observe": [MeanMagnetisation(), PerpendicularMap()],
    }  # fmt: skip
    return simulate(film, drive_of(rows), **(arguments | changes))


@each_backend
def test_a_replica_is_the_same_to_the_last_bit_whatever_the_chunks(backend: str) -> None:
    whole = run(backend, chunk=40)
    for chunk in (8, 16, 32):
        other = run(backend, chunk=chunk)
        xr.testing.assert_identical(other, whole)
    assert len(np.unique(whole["m"].values[-1, :, 0])) == REPLICAS


@each_backend
def test_a_smaller_ensemble_holds_the_first_replicas_of_a_larger(backend: str) -> None:
    whole = run(backend, chunk=16)
    for replicas in (1, 9, 24):
        rows = list(range(replicas))
        part = run(backend, family().assign([device_of(r) for r in rows]), rows)
        for name in ("m", "mz"):
            np.testing.assert_array_equal(part[name].values, whole[name].values[:, :replicas])


@each_backend
def test_each_replica_gets_its_own_device_current_and_voltage(backend: str) -> None:
    """Without noise, replica r is what a simulation of its device with its drive gives alone."""
    whole = run(backend, temperature=0.0, chunk=16)
    for replica in (0, 13, 34):
        for film in (family().assign([device_of(replica)]), family().select(torch.tensor([device_of(replica)]))):
            alone = run(backend, film, [replica], temperature=0.0)
            np.testing.assert_array_equal(alone["m"].values[:, 0], whole["m"].values[:, replica])
    # And each of the three matters: change one, and only this replica changes.
    for change in ("device", "current", "voltage"):
        devices = [device_of(r) for r in range(REPLICAS)]
        current, voltage = CURRENT.clone(), VOLTAGE.clone()
        if change == "device":
            devices[20] = 4
        elif change == "current":
            current[20] = 3e11
        else:
            voltage[20] = -1.0
        drive = Drive(current_density=Waveform.pulse(current, width=1e-12, rise=0.5e-12), gate_voltage=voltage,
                      gate=StrainGate())  # fmt: skip
        other = simulate(family().assign(devices), drive, duration=2e-12, every=0.5e-12, replicas=REPLICAS, chunk=16,
                         backend=backend, observe=[MeanMagnetisation()], dt=float(whole.attrs["dt"]))  # fmt: skip
        changed = (other["m"].values != whole["m"].values).any(axis=(0, 2))
        assert np.flatnonzero(changed).tolist() == [20]


@each_backend
def test_seeds_differ_and_repeat(backend: str) -> None:
    first, again, other = (run(backend, seed=seed)["m"].values for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[0], other[0])  # the start
    assert (first[1:] != other[1:]).any(axis=(0, 2)).all()


@each_backend
def test_threads_do_not_change_the_result(backend: str) -> None:
    before = torch.get_num_threads()
    try:
        results = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append(run(backend, threads=threads, chunk=40))
    finally:
        torch.set_num_threads(before)
    xr.testing.assert_identical(results[1], results[2])
    if backend == "compiled":
        xr.testing.assert_identical(results[1], results[0])
    else:
        # The library's transform rounds differently with one thread: some 1e-7 a step for 20 steps.
        xr.testing.assert_allclose(results[1], results[0], rtol=0, atol=3e-6)


@pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")
def test_backends_agree_without_noise() -> None:
    """Both in float32; 40 steps, each with some 1e-7 of rounding."""
    results = [run(backend, temperature=0.0)["mz"].values for backend in ("torch", "compiled")]
    assert np.nanmax(np.abs(results[0] - results[1])) < 1e-5
    assert np.nanmax(np.abs(results[0][-1] - results[0][0])) > 0.05


@each_backend
def test_adaptive_method_and_heun_agree_without_noise(backend: str) -> None:
    """Heun's error at 2 fs: (omega dt)² per radian for the stiffest mode of 17 T, (6e-3)² x 6 rad: 2e-4 at the most."""
    arguments = {"duration": 2e-12, "every": 0.5e-12, "replicas": 3, "temperature": 0.0,
                 "observe": [PerpendicularMap()], "initial": domain_wall(FILM, angle=0.5)}  # fmt: skip
    drive = Drive(current_density=[1e12, -1e12, 0.0], field_y=0.1)
    heun = simulate(FILM, drive, **arguments, dt=2e-15, backend=backend)  # type: ignore[arg-type]
    adaptive = simulate(FILM, drive, **arguments, integrator="dormand-prince", tolerance=1e-7, dtype=torch.float64)  # type: ignore[arg-type]
    difference = np.abs(heun["mz"].values - adaptive["mz"].values)
    assert difference.max() < 2e-4
    assert np.abs(np.diff(heun["mz"].values[[0, -1]], axis=0)).max() > 0.01
    assert adaptive.attrs["integrator"] == "dormand-prince"
    assert adaptive.attrs["backend"] == "torch"


# What is recorded.


@each_backend
def test_records_run_from_the_start_to_the_end(backend: str) -> None:
    start = random_state(FULL, REPLICAS, torch.Generator().manual_seed(3))
    data = run(backend, initial=start)
    np.testing.assert_allclose(data["time"], [0.0, 0.5e-12, 1e-12, 1.5e-12, 2e-12], rtol=1e-12)
    assert data["replica"].values.tolist() == list(range(REPLICAS))
    assert data["mz"].dims == ("time", "replica", "x", "y")
    assert data["m"].dims == ("time", "replica", "component")
    assert data["component"].values.tolist() == ["x", "y", "z"]
    np.testing.assert_allclose(data["x"], GRID.x)
    film = family()
    assert film.filled is not None
    for replica in range(REPLICAS):
        expected = torch.where(film.filled[device_of(replica)], start[replica, 2], torch.nan)
        np.testing.assert_array_equal(data["mz"].values[0, replica], expected.to(torch.float32).numpy())
    # A record at each time: the state moves between all of them.
    assert (np.abs(np.diff(data["m"].values, axis=0)).max(axis=(1, 2)) > 1e-4).all()


def test_records_are_not_overwritten_by_what_follows() -> None:
    """An observable may return a view of the magnetisation, which torch moves in place (float32, full cells)."""
    field = Drive(field_x=0.3)
    data = simulate(FILM, field, **BASE, observe=[PerpendicularMap()], backend="torch")
    short = simulate(FILM, field, duration=0.5e-12, every=0.5e-12, observe=[PerpendicularMap()], backend="torch")
    np.testing.assert_array_equal(short["mz"].values, data["mz"].values[:2])
    np.testing.assert_array_equal(data["mz"].values[0, 0], domain_wall(FILM)[0, 2].to(torch.float32))


@each_backend
def test_a_shorter_run_is_the_beginning_of_a_longer(backend: str) -> None:
    short, long = run(backend, duration=1e-12), run(backend)
    np.testing.assert_array_equal(short["m"].values, long["m"].values[:3])


def test_default_observables_and_number_of_records() -> None:
    data = simulate(FILM, duration=1e-12)
    assert set(data.data_vars) == {"wall_position", "wall_count", "wall_tilt", "wall_angle", "m"}
    assert data.sizes["time"] == 101
    assert float(data["wall_position"][0, 0]) == pytest.approx(GRID.length / 2)
    assert data["wall_position"].attrs["units"] == "m"
    assert data["time"].attrs["units"] == "s"


@each_backend
def test_attributes_say_all_that_is_needed_to_repeat_it(backend: str) -> None:
    attributes = run(backend, dt=1e-14).attrs
    assert attributes["seed"] == 7
    assert attributes["temperature"] == 300.0
    assert attributes["dt"] == 1e-14
    assert attributes["integrator"] == "splitting"
    assert attributes["backend"].startswith(backend)
    assert (attributes["device"], attributes["precision"]) == ("cpu", "float32")
    assert attributes["terms"] == [repr(term) for term in TERMS]
    assert (attributes["duration"], attributes["tolerance"]) == (2e-12, 1e-5)
    drive = json.loads(attributes["drive"])
    assert set(drive) >= {"current_density"}
    assert attributes["initial"]
    assert (attributes["cells"], attributes["cell_size"]) == ([16, 4], [4e-9, 4e-9, 1e-9])
    assert attributes["devices"] == 5
    assert attributes["version"]
    for key, value in MATERIAL.stated().items():
        assert attributes[f"material.{key}"] == value


def test_result_can_be_stored(tmp_path: Path) -> None:
    data = run("torch")
    data.to_netcdf(tmp_path / "ensemble.nc", engine="h5netcdf")
    with xr.open_dataset(tmp_path / "ensemble.nc", engine="h5netcdf", decode_times=False) as stored:
        xr.testing.assert_equal(stored.load(), data)


class Watched:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.total = self.made = 0
        self.open = False

    @contextlib.contextmanager
    def task(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
        self.total, self.open = total, True

        def advance(steps: int) -> None:
            assert steps > 0
            self.made += steps

        yield advance
        self.open = False


@each_backend
@pytest.mark.parametrize("chunk", [8, 40])
def test_progress_reaches_its_total(backend: str, chunk: int) -> None:
    watched = Watched()
    run(backend, chunk=chunk, progress=watched)
    assert watched.total == REPLICAS * 4
    assert watched.made == watched.total
    assert not watched.open


def test_steps_fit_the_records() -> None:
    recommended = advise_step(FILM).recommended
    for every in (0.5 * recommended, recommended, 7.3 * recommended):
        dt = simulate(FILM, duration=2 * every, every=every).attrs["dt"]
        assert every / dt == pytest.approx(round(every / dt), rel=1e-9)
        assert recommended * 0.5 < dt <= recommended * (1 + 1e-9) or dt == pytest.approx(every)


# Breaking down.


@pytest.mark.parametrize("lost", [0, 12, 33])
def test_a_lost_replica_is_numbered_over_the_whole_ensemble(lost: int) -> None:
    """With chunks of 8 it sits in the first, second or last of five."""
    field = torch.zeros(REPLICAS)
    field[lost] = 1.0
    with pytest.raises(IntegrationError, match=rf"^replica {lost} at t = .*not a number") as caught:
        simulate(FILM, Drive(field_x=field), duration=1e-12, every=0.5e-12, replicas=REPLICAS, chunk=8,
                 terms=[Exchange(), Wild()])  # fmt: skip
    assert caught.value.replica == lost


@each_backend
@pytest.mark.parametrize("lost", [3, 20])
def test_a_replica_that_a_chunk_loses_is_numbered_over_the_whole_ensemble(
    backend: str, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step far too long for the field of one replica, let through by an advice that does not know the drive."""
    field = torch.zeros(REPLICAS)
    field[lost] = 500.0
    monkeypatch.setattr(plan, "advise_step", lambda film, drive, **more: advise_step(film, **more))
    with pytest.raises(IntegrationError, match=rf"^replica {lost} at t = .*\|m\|² changed by .* in one step") as caught:
        simulate(FILM, Drive(field_x=field), duration=1e-12, every=0.5e-12, dt=5e-14, replicas=REPLICAS, chunk=16,
                 backend=backend)  # fmt: skip
    assert caught.value.replica == lost


class Wild(Zeeman):
    """No number where there is a field."""

    def add_field(self, out: torch.Tensor, state: Any) -> None:
        out += torch.where(state.inputs.field[0] > 0, torch.nan, 0.0)[:, None, None, None]


# What is refused.

BASE: dict[str, Any] = {"duration": 1e-12, "every": 0.5e-12}
STABLE = advise_step(FILM).stable
NAN, INF = math.nan, math.inf


IMPOSSIBLE_SIMULATIONS: list[tuple[dict[str, Any], str]] = [
    *(({"replicas": value}, rf"replicas = {value}: must be a whole number, 1 or more")
      for value in (0, -1, 2.5, NAN)),
    *(({"seed": value}, rf"seed = {value}: must be a whole number, 0 to 2\^63 - 1")
      for value in (-1, 1 << 63, 0.5, NAN)),
    *(({name: value}, rf"{name} = {value}: must be a positive time in s")
      for name in ("duration", "every", "dt") for value in (0.0, -1e-12, NAN, INF)),
    *(({"temperature": value}, rf"temperature = {value}: must be zero or positive, in K")
      for value in (-1.0, NAN, INF)),
    ({"integrator": "rk4"}, r"integrator = 'rk4': must be one of auto, heun, splitting, dormand-prince"),
    ({"integrator": "dormand-prince", "temperature": 1.0},
     r"integrator = 'dormand-prince': is for temperature = 0; thermal noise needs 'splitting' or 'heun'"),
    *(({"integrator": "dormand-prince", "tolerance": value}, rf"tolerance = {value}: must lie between 0 and 1")
      for value in (0.0, NAN)),
    ({"every": 0.3e-12}, r"every = 3e-13: the duration of 1e-12 s is not a whole number of records"),
    ({"every": 3e-12}, r"every = 3e-12: the duration of 1e-12 s is not a whole number of records"),
    ({"dt": 0.3e-13}, r"dt = 3e-14: every = 5e-13 s is not a whole number of steps; dt = 2\.941e-14 s would be"),
    ({"dt": 1e-12}, r"dt = 1e-12 s is unstable \(limit 2\.26e-13 s\): use 9\.5e-14 s"),
    ({"duration": 0.4}, r"duration = 0\.4 s is no simulated time; 0\.4e-9 \(0\.4 ns\)\?"),
    ({"drive": Drive(magnet_current_density=1e12)}, r"drive\.magnet_current_density: does nothing here; it needs a "
     r"spin_polarisation and ZhangLi"),
    ({"drive": Drive(field_z=0.1), "terms": [Exchange()]}, r"drive\.field_z: does nothing here; it needs the term "
     r"Zeeman"),
    ({"duration": 20 * STABLE, "every": 10.2 * STABLE - 0.2 * STABLE, "dt": 2 * STABLE},
     rf"dt = {2 * STABLE:g} s is unstable \(limit {STABLE:.3g} s\): use .* s"),
    ({"backend": "gpu"}, r"backend = 'gpu': must be one of auto, compiled, torch"),
    *(({"dtype": value}, rf"dtype = {value}: must be torch\.float32 or torch\.float64")
      for value in (torch.float16, torch.int64)),
    *(({"device": value}, rf"device = '{value}': is no device of torch") for value in ("gpu", None)),
    ({"device": "meta"}, r"device = 'meta': must be cpu or cuda"),
    ({"device": "cuda:99"}, r"device = 'cuda:99': torch sees \d+ CUDA devices"),
    *(({"chunk": value}, rf"chunk = {value}: must be a multiple of 8, the replicas that share a random stream")
      for value in (0, -8, 7, 12, 8.5)),
    *(({"memory": value}, rf"memory = {value:g}: must be a positive number of bytes")
      for value in (0.0, -1.0, NAN, INF)),
    ({"memory": 1e3, "backend": "torch"}, r"memory = 1000 bytes: 8 replicas of this film need 2\.03e\+05 bytes"),
    *(({"threads": value}, rf"threads = {value}: must be a whole number, 1 or more") for value in (0, -1, 1.5)),
    ({"observe": [WallPosition(), WallPosition()]}, r"observe: 'wall_position' is named twice"),
    ({"observe": [Energy]}, r"observe: <class .*Energy'> is not an Observable"),
    ({"terms": [Exchange]}, r"terms: <class .*Exchange'> is not a Term"),
    ({"initial": torch.zeros(1, 3, 16, 4)}, r"initial magnetisation: a filled cell has no direction"),
    ({"initial": torch.ones(2, 3, 16, 4), "replicas": 3}, r"initial magnetisation: shape .* is not \(3 or 1, .*"),
    ({"film": family()}, r"replicas = 1: the film has 5 devices; use film\.assign\(\.\.\.\)"),
    ({"film": FULL, "replicas": 3}, r"replicas = 3: film\.device_of_replica names 35 replicas"),
    ({"drive": Drive(field_x=[1.0, 2.0]), "replicas": 3}, r"drive\.field_x: given for 2 replicas, but there are 3"),
    ({"drive": Drive(gate=StrainGate(), gate_profile=torch.ones(4, 16))},
     r"drive\.gate_profile: shape \(4, 16\) is not the grid's \(16, 4\)"),
]  # fmt: skip


def test_impossible_simulation_is_refused_in_one_line() -> None:
    for changes, message in IMPOSSIBLE_SIMULATIONS:
        with pytest.raises(InputError, match=f"^{message}$") as caught:
            simulate(**({"film": FILM} | BASE | changes))
        assert len(str(caught.value).splitlines()) == 1


def test_the_kernel_is_refused_with_the_reason() -> None:
    if not compiled.available():
        with pytest.raises(InputError, match=r"^backend = 'compiled': the compiled kernel cannot be used: "):
            simulate(FILM, **BASE, backend="compiled")
        return
    for changes, reason in (
        ({"dtype": torch.float64}, "it computes in float32, not in float64"),
        ({"integrator": "dormand-prince"}, "it does not know the integrator 'dormand-prince'"),
        ({"terms": [Exchange(), Wild()]}, "it does not know the term Wild"),
        ({"terms": [Exchange(), Exchange()]}, "it takes each term once"),
    ):
        arguments: dict[str, Any] = BASE | changes
        with pytest.raises(InputError, match=f"^backend = 'compiled': the compiled kernel cannot be used: {reason}$"):
            simulate(FILM, **arguments, backend="compiled")
        assert simulate(FILM, **arguments).attrs["backend"] == "torch"  # auto finds the other


@pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")
def test_a_variant_of_the_kernel_that_cannot_run_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BARKHAUSEN_KERNEL", "mmx")
    with pytest.raises(InputError, match=r"^BARKHAUSEN_KERNEL=mmx: this processor runs "):
        simulate(FILM, **BASE)
    simulate(FILM, **BASE, backend="torch")


def test_a_hot_step_is_warned_of_at_the_caller() -> None:
    dt = 0.8 * STABLE
    with pytest.warns(UserWarning, match=r"is stable \(limit .* % too hot: .* s is recommended$") as caught:
        simulate(FILM, duration=4 * dt, every=2 * dt, dt=dt, temperature=300.0, integrator="heun")
    assert [Path(warning.filename).name for warning in caught] == [Path(__file__).name]
    recommended = advise_step(FILM).recommended
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        steps = {"duration": 4 * recommended, "every": 2 * recommended, "dt": recommended}
        simulate(FILM, **steps, temperature=300.0, integrator="heun")
        # Without noise no mode can be too hot.
        simulate(FILM, duration=4 * dt, every=2 * dt, dt=dt)


# How many replicas at once.


@pytest.mark.parametrize("name", ["torch", "compiled"])
@pytest.mark.parametrize("memory", [1e6, 3.3e6, 1e7])
def test_chunks_respect_the_memory(name: str, memory: float) -> None:
    if name == "compiled" and not compiled.available():
        pytest.skip(str(compiled.unavailable_reason()))
    film = Film(Grid(64, 16, 4e-9, 4e-9, 1e-9), MATERIAL)
    need = bytes_per_replica(film, name, torch.float32)
    if memory < 8 * need:
        with pytest.raises(InputError, match=r"^memory = .* bytes: 8 replicas of this film need "):
            choose_backend(film, TERMS, 1000, name=name, memory=memory)
        return
    chunk = choose_backend(film, TERMS, 1000, name=name, memory=memory, threads=64).chunk
    assert chunk % 8 == 0
    assert chunk >= 8
    assert chunk * need <= memory
    # As many as fit, unless fewer suit the processor.
    suitable = choose_backend(film, TERMS, 1000, name=name, threads=64).chunk
    assert (chunk + 8) * need > memory or chunk == suitable


MEMORY_SCRIPT = """
import ctypes, sys, torch
from pathlib import Path
from barkhausen.micromagnetics import *

class FreshPeak(MeanMagnetisation):
    # At its first call the peak begins anew from what is resident then: preparing the run takes more than running it.
    fresh = False
    def __call__(self, system, state):
        if not FreshPeak.fresh:
            FreshPeak.fresh = True
            ctypes.CDLL(None).malloc_trim(0)
            Path("/proc/self/clear_refs").write_text("5")
        return super().__call__(system, state)

name, replicas = sys.argv[1], 264
torch.set_num_threads(1)
fill = torch.ones(replicas, 128, 32)
fill[:, :, 0] = 0.5
grid, constants = Grid(128, 32, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum")
film = Film(grid, constants)
if sys.argv[2] == "family":
    film = Film(grid, constants, fill, 8e5 * torch.ones_like(fill), edge_demag=torch.zeros(replicas, 3, 128, 32))

def peak(chunk):
    FreshPeak.fresh = False
    simulate(film, duration=1e-13, every=5e-14, dt=5e-14, replicas=replicas, chunk=chunk, backend=name,
             temperature=300.0, observe=[FreshPeak()], initial=domain_wall(film))
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))

small = peak(8)
print((peak(replicas) - small) / (replicas - 8))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of the memory as Linux gives it")
@pytest.mark.parametrize("kind", ["one", "family"])
@each_backend
def test_a_replica_takes_no_more_memory_than_reckoned_with(backend: str, kind: str) -> None:
    command = [sys.executable, "-c", MEMORY_SCRIPT, backend, kind]
    # Arrays above this size go back to the system when they are freed, so that none hides the next.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    film = Film(Grid(128, 32, 4e-9, 4e-9, 1e-9), MATERIAL, None if kind == "one" else torch.ones(2, 128, 32))
    estimate = bytes_per_replica(film, backend, torch.float32)
    # The estimate is a bound with some room above what is measured.
    assert 0.5 * estimate < float(done.stdout) < estimate


def test_chunks_are_whole_groups_and_no_larger_than_the_ensemble() -> None:
    for replicas, chunk in ((1, 8), (8, 8), (9, 16), (100, 40)):
        assert choose_backend(FILM, TERMS, replicas, chunk=40).chunk == chunk


def test_gate_profile_confines_the_gate() -> None:
    """With the gate over the right half only, a film without bonds feels nothing on the left."""
    profile = torch.zeros(16, 4)
    profile[8:] = 1.0
    terms = [term for term in TERMS if type(term).__name__ in ("UniaxialAnisotropy", "Zeeman")]
    results = [simulate(FILM, Drive(gate_voltage=voltage, gate=StrainGate(), gate_profile=profile, field_x=0.05),
                        **BASE, initial=uniform(FILM, (1, 0, 1)), terms=terms, observe=[PerpendicularMap()])
               for voltage in (0.0, 1.0)]  # fmt: skip
    first, second = (data["mz"].values[-1, 0] for data in results)
    np.testing.assert_array_equal(first[:8], second[:8])
    assert (np.abs(first[8:] - second[8:]) > 1e-4).all()


def test_without_the_kernel_torch_computes_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: False)
    monkeypatch.setattr(compiled, "unavailable_reason", lambda: "no compiler was there")
    with pytest.warns(UserWarning, match="slower than the compiled kernel: no compiler was there") as caught:
        data = simulate(FILM, duration=1e-12)
    assert data.attrs["backend"] == "torch"
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert simulate(FILM, duration=1e-12, backend="torch").attrs["backend"] == "torch"
    with pytest.raises(InputError, match=r"backend = 'compiled': .*: no compiler was there"):
        simulate(FILM, duration=1e-12, backend="compiled")


@pytest.mark.parametrize("name", material_names())
@each_backend
def test_the_default_step_holds_for_rough_tracks_of_every_material(name: str, backend: str) -> None:
    """Cells that an edge barely fills feel the strongest noise; the step must suit them too."""
    for cell, thickness in ((4e-9, 1e-9), (2.5e-9, 0.6e-9)):
        constants = material(name)
        outline = TrackOutline(length=60e-9, width=30e-9, roughness=EdgeRoughness())
        film = track_film(outline, constants, cell=cell, thickness=thickness, devices=8)
        steps = 200 if backend == "torch" else 2000
        dt = advise_step(film, temperature=300.0).recommended
        start = uniform(film, (0.1, 0, 1))
        data = simulate(film, duration=steps * dt, every=steps * dt, replicas=8, temperature=300.0, initial=start,
                        backend=backend, observe=[MeanMagnetisation()])  # fmt: skip
        assert np.isfinite(data["m"].values).all()


def test_the_film_of_a_track_says_where_it_comes_from() -> None:
    film = track_film(TrackOutline(length=60e-9, width=30e-9), material("permalloy"), seed=5)
    attributes = simulate(film, duration=1e-13, initial=uniform(film, (1, 0, 0))).attrs
    assert "seed=5" in attributes["film.origin"]
    assert '"width":3e-8' in attributes["film.origin"]
