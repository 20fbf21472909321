"""Simulation: the same path however it is divided, what may be set between pieces, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.micromagnetics import (
    Drive,
    Energy,
    Film,
    Grid,
    MeanMagnetisation,
    Observable,
    PerpendicularMap,
    Simulation,
    StrainGate,
    Waveform,
    compiled,
    domain_wall,
    material,
    simulate,
    uniform,
)

GRID = Grid(16, 4, 4e-9, 4e-9, 1e-9)
FILM = Film(GRID, material("cofeb-tantalum"))
DT = 8e-14
REPLICAS = 11

BACKENDS = ["torch", pytest.param("compiled", marks=pytest.mark.skipif(
    not compiled.available(), reason=compiled.unavailable_reason() or ""))]  # fmt: skip
each_backend = pytest.mark.parametrize("backend", BACKENDS)

pytestmark = pytest.mark.usefixtures("one_thread")

PULSE = Drive(
    current_density=Waveform.pulse(torch.linspace(-3e11, 3e11, REPLICAS), width=16 * DT, start=3.3 * DT, rise=5 * DT),
    field_z=Waveform([0.0, 20 * DT, 20 * DT, 30 * DT], [0.0, 0.1, -0.1, 0.0]),
)


def simulation(backend: str = "torch", **changes: Any) -> Simulation:
    arguments: dict[str, Any] = {"replicas": REPLICAS, "seed": 4, "temperature": 300.0, "dt": DT, "backend": backend}
    return Simulation(changes.pop("film", FILM), changes.pop("drive", PULSE), **(arguments | changes))


def same(one: Simulation, other: Simulation) -> bool:
    mine, its = one.state_dict(), other.state_dict()
    return mine.keys() == its.keys() and all(torch.equal(value, its[key]) for key, value in mine.items())


@each_backend
@pytest.mark.parametrize("temperature", [300.0, Waveform([0.0, 40 * DT], [0.0, 600.0])], ids=["constant", "ramp"])
def test_the_division_into_pieces_does_not_matter(backend: str, temperature: Any) -> None:
    """To the last bit, with steps of the drive on and between the steps of time."""
    whole = simulation(backend, temperature=temperature)
    whole.advance(40 * DT)
    assert whole.time == 40 * DT
    for pieces in ([1] * 40, [7, 13, 20], [19, 1, 20]):
        divided = simulation(backend, temperature=temperature)
        for steps in pieces:
            divided.advance(steps * DT)
        assert divided.time == whole.time
        assert same(divided, whole)
    assert not torch.equal(whole.m, simulation(backend).m)


@each_backend
def test_it_moves_as_simulate_does(backend: str) -> None:
    result = simulate(FILM, PULSE, duration=40 * DT, every=10 * DT, replicas=REPLICAS, seed=4, temperature=300.0, dt=DT,
                      backend=backend, observe=[PerpendicularMap()])  # fmt: skip
    mine = simulation(backend)
    records = mine.advance(40 * DT, observe=[PerpendicularMap()], every=10 * DT)
    assert records is not None
    np.testing.assert_allclose(records["time"], result["time"][1:], rtol=1e-12)
    # Times of the drive differ in their last digit, magnetisations in float32 hardly ever.
    np.testing.assert_allclose(records["mz"], result["mz"][1:], atol=1e-6)
    assert {"seed", "temperature", "dt", "backend", "material.damping", "version"} <= set(records.attrs)
    np.testing.assert_array_equal(mine.observe([PerpendicularMap()])["mz"], records["mz"][-1])
    assert mine.observe([Energy()])["energy"].dims == ("replica",)
    assert mine.advance(DT) is None


@each_backend
def test_a_drive_of_a_piece_counts_from_its_start(backend: str) -> None:
    """One pulse in absolute time, or the same pulse given to the piece in which it lies."""
    at = 12 * DT
    pulse = Waveform.pulse(torch.linspace(-3e11, 3e11, REPLICAS), width=5 * DT, start=2 * DT)
    late = Waveform(pulse.times + at, pulse.values)
    one, other = simulation(backend, drive=Drive(current_density=late)), simulation(backend, drive=None)
    one.advance(30 * DT)
    other.advance(at)
    before = other.m
    other.advance(10 * DT, Drive(current_density=pulse))
    other.advance(8 * DT)
    assert same(one, other)
    assert float((other.m - before).abs().max()) > 1e-3


@each_backend
def test_a_loop_may_answer_what_it_reads(backend: str) -> None:
    """A field against each replica's m_z holds them all near the plane, each by its own sign."""
    start = uniform(FILM, (1.0, 0.0, 0.02)).repeat(REPLICAS, 1, 1, 1)
    start[::2, 2] *= -1
    loop = simulation(backend, drive=None, temperature=0.0, initial=start)
    free = simulation(backend, drive=None, temperature=0.0, initial=start)
    for _ in range(40):
        mz = loop.read(MeanMagnetisation())[:, 2]
        loop.advance(10 * DT, Drive(field_z=-1.0 * torch.sign(mz) * mz.abs().clamp_min(0.02) * 10))
        free.advance(10 * DT)
    held, gone = (s.read(MeanMagnetisation())[:, 2] for s in (loop, free))
    assert float(held.abs().max()) < 0.5 * float(gone.abs().min())
    assert (gone[::2] < 0).all()
    assert (gone[1::2] > 0).all()


@each_backend
@pytest.mark.parametrize("fitted", [False, True], ids=["dt", "fitted dt"])
def test_it_resumes_from_memory_and_from_a_file(backend: str, fitted: bool, tmp_path: Path) -> None:
    more = {"dt": None} if fitted else {}
    first = simulation(backend, **more)
    first.advance(13 * DT)
    first.save(tmp_path / "state.safetensors")
    state = first.state_dict()
    first.advance(8 * DT)
    first.advance(20 * DT)
    for source in (tmp_path / "state.safetensors", state):
        second = simulation(backend, **more)
        second.advance(3 * DT)
        if isinstance(source, Path):
            second.load(source)
        else:
            second.load_state_dict(source)
        assert second.time == pytest.approx(13 * DT, rel=1e-12)
        second.advance(8 * DT)
        second.advance(20 * DT)
        assert same(second, first)


@each_backend
@pytest.mark.parametrize("integrator", ["heun", "splitting"])
def test_each_replica_has_its_own_temperature(backend: str, integrator: str) -> None:
    """Each as in a simulation at that temperature alone; at 0 K without noise at all."""
    temperatures = torch.linspace(0.0, 500.0, REPLICAS)
    mixed = simulation(backend, drive=None, temperature=temperatures, integrator=integrator)
    mixed.advance(20 * DT)
    for replica in (0, 5, 10):
        alone = simulation(backend, drive=None, temperature=float(temperatures[replica]), integrator=integrator)
        alone.advance(20 * DT)
        torch.testing.assert_close(alone.m[replica], mixed.m[replica], rtol=0, atol=2e-6)
    assert not torch.equal(mixed.m[1], mixed.m[2])


@each_backend
@pytest.mark.parametrize("integrator", ["heun", "splitting"])
def test_a_waveform_of_temperature_acts_at_its_time(backend: str, integrator: str) -> None:
    """Nothing moves before the heat; then one spin without field takes up the energy that noise gives it."""
    film = Film(Grid(1, 1, 4e-9, 4e-9, 4e-9), material("cofeb-tantalum", damping=0.5))
    heat = Waveform([8e-12, 8e-12], [0.0, 30.0])
    run = Simulation(film, replicas=800, seed=1, temperature=heat, dt=1e-13, backend=backend,
                     integrator=integrator, initial=uniform(film, (0.0, 0.0, 1.0)))  # fmt: skip
    run.advance(8e-12)
    assert torch.equal(run.m[:, 2], torch.ones(800, 1, 1))
    run.advance(12e-12)
    run.advance(40e-12)
    # Linear regime: <m_x^2> = kT/(2 Keff V), with the shape of a cube of one cell.
    field = float(film.material.anisotropy) * 2 / film.material.saturation_magnetisation
    expected = BOLTZMANN * 30.0 / (film.moment * field)
    # 800 replicas, two components: the variance is known to 1/sqrt(800); the share of the next order is 1.5 x.
    assert float(run.m[:, :2].square().mean()) == pytest.approx(expected, rel=4 / math.sqrt(800) + 1.5 * expected)


@each_backend
def test_the_magnetisation_can_be_set(backend: str) -> None:
    run = simulation(
        backend, film=Film(GRID, FILM.material, fill=torch.ones(16, 4).index_fill_(0, torch.tensor([0]), 0))
    )
    run.advance(5 * DT)
    run.m = 3 * domain_wall(FILM, 20e-9)
    norm = torch.linalg.vector_norm(run.m, dim=1)
    torch.testing.assert_close(norm[:, 1:], torch.ones(REPLICAS, 15, 4))
    assert not bool(norm[:, 0].any())
    shifted = run.m.roll(1, 2)
    shifted[:, :, 1] = torch.tensor([0.0, 0.0, 1.0])[:, None]
    run.m = shifted
    torch.testing.assert_close(run.m[:, :, 1:], shifted[:, :, 1:])
    run.advance(5 * DT)
    with pytest.raises(InputError, match=r"^initial magnetisation: shape .* is not \(11 or 1, 3, 16, 4\)$"):
        run.m = torch.ones(2, 3, 16, 4)


@each_backend
@pytest.mark.parametrize("devices", [1, REPLICAS])
def test_the_film_can_be_exchanged(backend: str, devices: int) -> None:
    """As if the simulation had gone on in the new film from the same state."""
    generator = torch.Generator().manual_seed(0)
    maps = 0.8e6 * (1 + 0.1 * torch.rand(2, devices, 16, 4, dtype=torch.float64, generator=generator))
    films = [Film(GRID, FILM.material, anisotropy=values) for values in maps]
    for first in (films[0], FILM):
        moved, fresh = simulation(backend, film=first), simulation(backend, film=films[1])
        moved.advance(6 * DT)
        state = moved.state_dict()
        moved.film = films[1]
        assert moved.film is films[1]
        fresh.load_state_dict(state)
        moved.advance(6 * DT)
        fresh.advance(6 * DT)
        assert same(moved, fresh)
    with pytest.raises(InputError, match=r"^film: has Grid"):
        moved.film = Film(Grid(16, 4, 2e-9, 4e-9, 1e-9), FILM.material)
    with pytest.raises(InputError, match=r"^film: has another material"):
        moved.film = Film(GRID, material("permalloy"))
    with pytest.raises(InputError, match=r"^film\.fill: differs"):
        moved.film = Film(GRID, FILM.material, fill=torch.full((16, 4), 0.5))


@each_backend
def test_a_profile_of_the_gate_may_change(backend: str) -> None:
    profile = torch.zeros(16, 4)
    profile[:8] = 1.0
    drives = [Drive(gate_voltage=0.5, gate=StrainGate(), gate_profile=p) for p in (profile, profile.flip(0), None)]
    run = simulation(backend, drive=None, temperature=0.0)
    for drive in drives:
        alone = simulation(backend, drive=None, temperature=0.0)
        alone.m = run.m
        run.advance(10 * DT, drive)
        alone.advance(10 * DT, drive)
        # What is set is scaled to unit length, which changes last digits.
        torch.testing.assert_close(run.m, alone.m, rtol=0, atol=2e-6)


def test_the_step_is_fitted_to_a_piece() -> None:
    run = simulation(dt=None, temperature=0.0)
    assert run.dt == pytest.approx(9.4e-14)
    run.advance(1e-12)
    assert run.dt == pytest.approx(1e-12 / 11)
    assert run.time == pytest.approx(1e-12, rel=1e-12)
    run.advance(2e-12)  # fits as it is
    assert run.dt == pytest.approx(1e-12 / 11)
    run.advance(0.5e-13)
    assert run.dt == pytest.approx(0.5e-13)
    assert run.time == pytest.approx(3.05e-12, rel=1e-12)


def test_the_adaptive_integrator_goes_on_too() -> None:
    whole = simulation(integrator="dormand-prince", temperature=0.0, dt=None, dtype=torch.float64, tolerance=1e-7)
    divided = simulation(integrator="dormand-prince", temperature=0.0, dt=None, dtype=torch.float64, tolerance=1e-7)
    whole.advance(40 * DT)
    for _ in range(4):
        divided.advance(10 * DT)
    assert divided.time == pytest.approx(whole.time, rel=1e-12)
    torch.testing.assert_close(divided.m, whole.m, rtol=0, atol=1e-5)


class Twice(Observable):
    """Another quantity of the same name as the mean magnetisation."""

    name = "m"
    units = "1"

    def __call__(self, system: Any, state: Any) -> torch.Tensor:
        return state.m[:, 0, 0, 0]


def test_what_is_refused() -> None:
    run = simulation(integrator="heun")
    for arguments, message in (
        ({"duration": 2.5 * DT}, rf"dt = {DT:g}: duration = 2e-13 s is not a whole number of steps; dt = .* would be"),
        ({"duration": 0.0}, "duration = 0.0: must be a positive time in s"),
        ({"duration": math.nan}, "duration = nan: must be a positive time in s"),
        ({"duration": 4 * DT, "every": 3 * DT}, "every = 2.4e-13: the duration of .* is not a whole number of records"),
        (
            {"duration": DT, "drive": Drive(field_z=[0.0, 1.0])},
            r"drive\.field_z: given for 2 replicas, but there are 11",
        ),
        ({"duration": DT, "drive": Drive(field_z=50.0)}, r"dt = 8e-14 s is unstable .*"),
        (
            {"duration": DT, "drive": Drive(magnet_current_density=1e12)},
            r"drive\.magnet_current_density: does nothing.*",
        ),
        ({"duration": DT, "observe": [MeanMagnetisation(), Twice()]}, "observe: 'm' is named twice"),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            run.advance(**arguments)
    assert run.time == 0.0
    for changes, message in (
        ({"temperature": [300.0, 200.0]}, "temperature: given for 2 replicas, but there are 11"),
        ({"temperature": Waveform([0.0, 1e-9], [300.0, -1.0])}, r"temperature = -1\.0: must be zero or positive, in K"),
        ({"dt": 1e-12, "integrator": "heun"}, r"dt = 1e-12 s is unstable .*"),
        ({"dt": 2e-12}, r"dt = 2e-12 s does not follow the film .*"),
        ({"integrator": "dormand-prince"}, "integrator = 'dormand-prince': is for temperature = 0; .*"),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            simulation(**changes)


def test_the_state_of_another_simulation_is_refused(tmp_path: Path) -> None:
    run = simulation()
    path = tmp_path / "state.safetensors"
    run.save(path)
    for other, message in (
        (simulation(seed=5), r".*: is the state of another simulation \(differs in seed\)"),
        (simulation(dt=DT / 2), r".*: state: was taken with dt = 8e-14 s, here dt = 4e-14 s"),
    ):
        with pytest.raises(InputError, match=f"^{message}$"):
            other.load(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(InputError, match="is no state of a simulation"):
        run.load(path)
    # A single bit of the numbers: at their begin, in the middle, at their end.
    header = 8 + int.from_bytes(whole[:8], "little")
    for place in (header, (header + len(whole)) // 2, len(whole) - 1):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        path.write_bytes(flipped)
        with pytest.raises(InputError, match="its numbers do not have the sum that was kept with them"):
            run.load(path)
    path.write_bytes(whole)
    run.load(path)
    with pytest.raises(InputError, match=r"^state: holds clock, steps, expected "):
        run.load_state_dict({key: value for key, value in run.state_dict().items() if key in {"clock", "steps"}})
    with pytest.raises(InputError, match=r"^state: m has the shape \(3, 3, 16, 4\), expected \(11, 3, 16, 4\)$"):
        run.load_state_dict(run.state_dict() | {"m": run.m[:3]})


def test_a_record_is_a_result() -> None:
    data = simulation().advance(4 * DT, observe=[MeanMagnetisation()], every=2 * DT)
    assert isinstance(data, xr.Dataset)
    assert data["m"].dims == ("time", "replica", "component")
    assert "replicas of 16 x 4 cells" in repr(simulation())
