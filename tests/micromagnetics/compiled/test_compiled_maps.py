"""The compiled kernel against torch in float64 for films whose parameters differ from cell to cell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from barkhausen import micromagnetics as mm
from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.compiled.library import FORCE_VARIABLE, supported_variants
from barkhausen.micromagnetics.integrators.lanes.problem import lane_drive, lane_problem
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.terms import Zeeman, standard_terms

pytestmark = pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")

REPLICAS = 11
MATERIAL = mm.Material(
    saturation_magnetisation=9e5, exchange_stiffness=1.4e-11, damping=0.05, anisotropy=7e5, dmi=1.1e-3,
    spin_hall_angle=0.2, field_like_ratio=-0.7, spin_polarisation=0.6, non_adiabaticity=0.07,
    cubic_anisotropy=8e4, cubic_axis_1=(0.6, 0.64, 0.48), cubic_axis_2=(-0.8, 0.48, 0.36),
)  # fmt: skip
MAPS = (
    "saturation_magnetisation", "exchange_stiffness", "dmi", "damping", "temperature", "current", "easy_axis", "bond_x",
    "bond_y", "frozen",
)  # fmt: skip


def random_maps(devices: int, nx: int, ny: int, names: tuple[str, ...] = MAPS) -> ParameterMaps:
    """Random maps of those names."""
    rng = torch.Generator().manual_seed(nx * 100 + ny + devices)

    def uniform(low: float, high: float, *more: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(devices, *more, nx, ny, generator=rng, dtype=torch.float64)

    every = {
        "saturation_magnetisation": uniform(6e5, 1.2e6),
        "exchange_stiffness": uniform(0.8e-11, 2e-11),
        "dmi": uniform(-2e-3, 2e-3),
        "damping": uniform(0.01, 0.5),
        "temperature": uniform(0.5, 2.0),
        "current": uniform(-1.5, 1.5, 2),
        "easy_axis": uniform(-1.0, 1.0, 3),
        "bond_x": uniform(0.3, 1.0),
        "bond_y": uniform(0.3, 1.0),
        "frozen": uniform(0.0, 1.0) < 0.1,
    }
    return ParameterMaps(**{name: every[name] for name in names})


def random_film(
    nx: int,
    ny: int,
    names: tuple[str, ...] = MAPS,
    *,
    devices: int = REPLICAS,
    filled: bool = True,
    cell_y: float = 3e-9,
) -> mm.Film:
    """Film with those maps, anisotropy of each cell, cut and empty cells."""
    rng = torch.Generator().manual_seed(nx + ny)
    shape = (devices, nx, ny)
    fill = torch.rand(shape, generator=rng, dtype=torch.float64).clamp(0.2, 0.9) / 0.9
    if nx * ny > 4:
        fill[torch.rand(shape, generator=rng) < 0.15] = 0.0
    edge = 0.05 * torch.randn((devices, 3, nx, ny), generator=rng, dtype=torch.float64)
    return mm.Film(
        mm.Grid(nx, ny, 4e-9, cell_y, 1.2e-9),
        MATERIAL,
        fill if filled else None,
        7e5 * (1 + 0.2 * torch.randn(shape, generator=rng, dtype=torch.float64)),
        edge_demag=edge if filled else None,
        maps=random_maps(devices, nx, ny, names) if names else None,
    )


def random_drive(replicas: int = REPLICAS) -> mm.Drive:
    """All inputs at once, different for each replica, some varying in time."""
    rng = torch.Generator().manual_seed(5)

    def values(size: float) -> torch.Tensor:
        return size * torch.randn(replicas, generator=rng, dtype=torch.float64)

    return mm.Drive(
        current_density=mm.Waveform(torch.tensor([0.0, 4e-11]), torch.stack([values(2e11), values(2e11)])),
        magnet_current_density=values(1e12),
        field_x=values(0.03),
        field_y=values(0.03),
        field_z=values(0.03),
        gate_voltage=values(0.5),
        gate=mm.StrainGate(),
        gate_profile=torch.rand(GRID, generator=rng, dtype=torch.float64),
        local_field=mm.Waveform(torch.tensor([0.0, 4e-11]), torch.stack([values(1.0), values(1.0)])),
        field_profile=0.05 * torch.randn(3, *GRID, generator=rng, dtype=torch.float64),
        current_direction=(0.6, 0.8),
    )


def systems(
    film: mm.Film, drive: mm.Drive | None = None, terms: tuple[mm.Term, ...] | None = None, replicas: int = REPLICAS
) -> tuple[mm.System, mm.System]:
    """The same system in float64 for torch and in float32 for the kernel."""
    exact, coarse = (
        mm.System(film, drive, terms, replicas=replicas, dtype=kind) for kind in (torch.float64, torch.float32)
    )
    return exact, coarse


def start(film: mm.Film, replicas: int = REPLICAS) -> torch.Tensor:
    """Random unit vectors that float32 holds, zero in empty cells."""
    m = torch.randn(replicas, 3, *film.grid.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    m = (m / m.norm(dim=1, keepdim=True)).to(torch.float32).to(torch.float64)
    if film.filled is not None:
        m = m * film.filled[:, None]
    assert isinstance(m, torch.Tensor)
    return m


def kernel_field(system: mm.System, m: torch.Tensor, time: float) -> torch.Tensor:
    """The deterministic field of the kernel."""
    ensemble = compiled.LaneEnsemble(lane_problem(system), system.replicas, threads=2)
    ensemble.set_magnetisation(m.numpy())
    drive = lane_drive(system, torch.tensor([time], dtype=torch.float64))
    return torch.from_numpy(ensemble.field(drive[0])).to(torch.float64)


def check_field(film: mm.Film, drive: mm.Drive, material: mm.Material = MATERIAL) -> None:
    exact, coarse = systems(film, drive, standard_terms(material, film.maps))
    m = start(film)
    expected, got = exact.field(m, 1e-11), kernel_field(coarse, m, 1e-11)
    there = torch.ones(1) if film.filled is None else film.filled[:, None]
    assert float(((got - expected) * there).norm() / (expected * there).norm()) < 3e-6


GRID = (9, 6)


@pytest.mark.parametrize("filled", [True, False])
@pytest.mark.parametrize("devices", [1, REPLICAS])
def test_the_field_of_all_maps_is_that_of_torch(filled: bool, devices: int) -> None:
    check_field(random_film(*GRID, filled=filled, devices=devices), random_drive())


@pytest.mark.parametrize("name", [*MAPS, ""])
def test_the_field_of_each_map_alone_is_that_of_torch(name: str) -> None:
    check_field(random_film(*GRID, (name,) if name else ()), random_drive())


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (1, 7), (12, 1), (5, 7), (33, 16)])
def test_the_field_is_right_on_grids_of_all_sizes(shape: tuple[int, int]) -> None:
    drive = replace(random_drive(), local_field=0.0, field_profile=None, gate_profile=None)
    check_field(random_film(*shape), drive)


def test_a_local_field_and_a_slanted_current_need_no_maps() -> None:
    check_field(random_film(*GRID, ()), random_drive())


def test_an_axis_of_the_whole_material_and_cubic_anisotropy_need_no_maps() -> None:
    tilted = MATERIAL.model_copy(update={"easy_axis": (0.6, 0.0, 0.8)})
    film = random_film(*GRID, ())
    film = mm.Film(film.grid, tilted, film.fill, film.anisotropy, edge_demag=film.edge_demag)
    check_field(film, random_drive(), tilted)


def test_steps_follow_those_of_torch_in_float64() -> None:
    """Rounding, grown by precession about a few tesla, stays below 1e-4 in 200 steps; frozen cells stay."""
    film, dt, steps = random_film(*GRID), 2e-14, 200
    exact, coarse = systems(film, random_drive())
    m = start(film)
    slow, fast = mm.Heun(exact, m, dt=dt), mm.CompiledHeun(coarse, m.to(torch.float32), dt=dt, threads=1)
    for stepper in (slow, fast):
        stepper.advance(0.0, steps * dt)
    assert float((slow.m - m).abs().max()) > 0.5
    assert float((fast.m - slow.m).abs().max()) < 1e-4
    assert film.maps is not None
    assert film.maps.frozen is not None
    still = film.maps.frozen[:, None]
    assert float(((fast.m - m) * still).abs().max()) < 1e-6


@pytest.mark.parametrize("names", [MAPS, tuple(name for name in MAPS if name != "easy_axis"), ()])
def test_split_steps_follow_those_of_torch_in_float64(names: tuple[str, ...]) -> None:
    """As above; 100 steps of the splitting, with an easy axis of each cell and without."""
    material = MATERIAL.model_copy(update={"cubic_anisotropy": 0.0, "spin_polarisation": 0.0})
    dt, steps = 1e-13, 100
    film = replace(random_film(*GRID, names), material=material)
    exact, coarse = systems(film, random_drive(), standard_terms(material, film.maps))
    m = start(film)
    slow, fast = mm.Splitting(exact, m, dt=dt), mm.CompiledSplitting(coarse, m.to(torch.float32), dt=dt, threads=1)
    for stepper in (slow, fast):
        stepper.advance(0.0, steps * dt)
    assert float((slow.m - m).abs().max()) > 0.5
    assert float((fast.m - slow.m).abs().max()) < 1e-4


@pytest.mark.parametrize("kind", [mm.CompiledHeun, mm.CompiledSplitting])
def test_noise_samples_the_boltzmann_distribution_of_each_cell(
    kind: type[mm.CompiledHeun] | type[mm.CompiledSplitting],
) -> None:
    """Free moments in a field: <m_z> = coth x - 1/x with x = Ms V B/(kB T) of each cell (Langevin)."""
    names = ("saturation_magnetisation", "damping", "temperature")
    film, field, dt, replicas = random_film(24, 16, names, devices=1, filled=False), 0.2, 1e-13, 8
    _, system = systems(film, mm.Drive(field_z=field), (Zeeman(),), replicas)
    stepper = kind(system, start(film, replicas).to(torch.float32), dt=dt, temperature=300.0, threads=1)
    mean, samples = torch.zeros(film.grid.shape, dtype=torch.float64), 40
    for number in range(samples + 5):
        stepper.advance(number * 200 * dt, (number + 1) * 200 * dt)
        if number >= 5:
            mean += stepper.m[:, 2].to(torch.float64).mean(0) / samples
    assert film.maps is not None
    assert film.maps.temperature is not None
    assert film.maps.damping is not None
    assert film.relative_moment is not None
    x = (film.moment * film.relative_moment * field / (1.380649e-23 * 300.0 * film.maps.temperature))[0]
    expected = 1 / x.tanh() - 1 / x
    # Cells by the size of x; samples 20 ps apart are at most correlated as two thirds of them left out
    there = (x > 0) & (film.maps.damping[0] > 0.2)
    for part in (x < x[there].quantile(0.33), x > x[there].quantile(0.67)):
        chosen = there & part
        count = int(chosen.sum()) * replicas * samples / 3
        assert abs(float((mean - expected)[chosen].mean())) < 5 * (1 / 3 / count) ** 0.5


@pytest.mark.parametrize("kind", [mm.CompiledHeun, mm.CompiledSplitting])
def test_a_replica_is_the_same_to_the_bit_in_any_company(
    kind: type[mm.CompiledHeun] | type[mm.CompiledSplitting],
) -> None:
    film, drive, dt = random_film(*GRID), random_drive(), 5e-14
    left_out = (mm.CubicAnisotropy, mm.ZhangLi) if kind is mm.CompiledSplitting else ()
    terms = tuple(term for term in standard_terms(MATERIAL, film.maps) if not isinstance(term, left_out))
    m = start(film).to(torch.float32)

    def run(who: list[int], threads: int, pieces: list[int]) -> torch.Tensor:
        rows = torch.tensor(who)
        _, system = systems(film.select(rows), drive.select(rows), terms, len(who))
        state: dict[str, torch.Tensor] | None = None
        done = 0
        for piece in pieces:
            stepper = kind(system, m[rows], dt=dt, temperature=300.0, seed=2, replicas=rows, threads=threads)
            if state is not None:
                stepper.load_state_dict(state)
            stepper.advance(done * dt, (done + piece) * dt)
            done += piece
            state = stepper.state_dict()
        assert state is not None
        return state["m"]

    everyone = list(range(REPLICAS))
    expected = run(everyone, 1, [7])
    for who in (everyone[::-1], [10, 3], [5]):
        for threads, pieces in ((1, [7]), (2, [3, 4])):
            assert torch.equal(run(who, threads, pieces), expected[who])


def test_maps_of_one_device_and_of_many_equal_ones_give_the_same_bits() -> None:
    film = random_film(*GRID, devices=1)
    many = film.assign([0] * REPLICAS)
    wide = {name: value.expand(REPLICAS, *value.shape[1:]) for name, value in film.tensors.items()}
    maps = {name.removeprefix("maps."): value for name, value in wide.items() if name.startswith("maps.")}
    spread = mm.Film(
        film.grid, MATERIAL, wide["fill"], wide["anisotropy"], edge_demag=wide["edge_demag"], maps=ParameterMaps(**maps)
    )
    ends = []
    for each in (many, spread):
        _, system = systems(each, random_drive())
        stepper = mm.CompiledHeun(system, start(film).to(torch.float32), dt=5e-14, temperature=300.0, threads=1)
        stepper.advance(0.0, 20 * 5e-14)
        ends.append(stepper.m)
    assert torch.equal(*ends)


def test_a_factor_of_the_thermal_field_in_time() -> None:
    film = random_film(*GRID, ("temperature",), devices=1, filled=False)
    _, system = systems(film, None, (Zeeman(),))
    ensemble = compiled.LaneEnsemble(lane_problem(system), REPLICAS, threads=1)
    moved = []
    for factor in (0.0, 1.0, 2.0):
        ensemble.set_magnetisation(start(film).numpy())
        ensemble.seed(0, np.arange(REPLICAS))
        drive = np.zeros((2, 9, REPLICAS))
        drive[:, 8] = factor
        ensemble.advance(1e-15, np.full(REPLICAS, 0.1), drive)
        moved.append(ensemble.magnetisation() - start(film).numpy())
    assert np.abs(moved[0]).max() < 1e-6
    np.testing.assert_allclose(moved[2].std() / moved[1].std(), 2.0, rtol=0.02)


def test_all_variants_agree_but_for_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    film = random_film(*GRID)
    _, system = systems(film, random_drive())
    results = []
    for name in supported_variants():
        monkeypatch.setenv(FORCE_VARIABLE, name)
        stepper = mm.CompiledHeun(system, start(film).to(torch.float32), dt=5e-14, temperature=300.0, threads=2)
        stepper.advance(0.0, 20 * 5e-14)
        results.append((kernel_field(system, start(film), 1e-11), stepper.m, stepper.state_dict()["random"]))
    for field, m, random in results[1:]:
        torch.testing.assert_close(field, results[0][0], rtol=0, atol=2e-5)
        torch.testing.assert_close(m, results[0][1], rtol=0, atol=2e-5)
        assert torch.equal(random, results[0][2])


def test_maps_of_wrong_shapes_are_refused() -> None:
    _, system = systems(random_film(*GRID), random_drive())
    problem = lane_problem(system)
    assert problem.maps is not None
    for name, wrong in (
        ("bonds", replace(problem.maps, bonds=np.zeros((1, 4, 1, 1)))),
        ("motion", replace(problem.maps, motion=np.full((1, 3, 1, 1), np.nan))),
    ):
        with pytest.raises(ValueError, match=f"maps.{name}"):
            compiled.LaneEnsemble(replace(problem, maps=wrong), REPLICAS, threads=1)
