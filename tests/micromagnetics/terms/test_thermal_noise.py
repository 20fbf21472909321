"""The thermal field of the torch method: how strong, how random, and whose."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import Film, Grid, Heun, Material, System, ThermalNoise, thermal_amplitude, uniform
from barkhausen.micromagnetics.terms.thermal import GROUP

MATERIAL = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.05)
CELLS = (24, 6)
SIGMAS = 5.0
"""One in 1.7 million; the tests look at some hundred numbers, and the seeds are fixed."""


pytestmark = pytest.mark.usefixtures("one_thread")


def noise_of(replicas: list[int], seed: int = 0, cells: tuple[int, int] = CELLS, draws: int = 1) -> Tensor:
    """``[draw, replica, 3, nx, ny]``."""
    noise = ThermalNoise(torch.tensor(replicas), seed, torch.empty(0, dtype=torch.float64))
    return torch.stack([noise.draw(cells) for _ in range(draws)])


def correlation(a: Tensor, b: Tensor) -> float:
    """Mean product over its standard error."""
    return float((a * b).mean() * math.sqrt(a.numel()))


def test_amplitude_by_hand() -> None:
    # sqrt(2 × 0.05 × 1.380649e-23 × 300 / (1.760859e11 × 1e6 × 1.6e-26 × 1e-13)) = sqrt(4.14195e-22 / 2.81737e-22).
    film = Film(Grid(2, 2, 4e-9, 4e-9, 1e-9), MATERIAL)
    assert thermal_amplitude(film, 300.0, 1e-13) == pytest.approx(1.21250, rel=1e-4)
    assert thermal_amplitude(film, 1200.0, 1e-13) == pytest.approx(2 * 1.21250, rel=1e-4)
    assert thermal_amplitude(film, 300.0, 4e-13) == pytest.approx(0.5 * 1.21250, rel=1e-4)
    assert thermal_amplitude(film, 0.0, 1e-13) == 0.0


def test_noise_is_unit_normal() -> None:
    x = noise_of(list(range(40)), draws=20).flatten()
    n = x.numel()
    # Standard errors of the moments of n unit normals: 1/n, 2/n, 15/n and 96/n are the variances.
    for power, expected, variance in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs(float((x**power).mean()) - expected) < SIGMAS * math.sqrt(variance / n)


def test_noise_is_white_in_time_and_across_components_and_cells() -> None:
    x = noise_of(list(range(32)), draws=40)
    for lag in (1, 2, 5):
        assert abs(correlation(x[lag:], x[:-lag])) < SIGMAS
    for a, b in itertools.combinations(range(3), 2):
        assert abs(correlation(x[:, :, a], x[:, :, b])) < SIGMAS
        assert abs(correlation(x[1:, :, a], x[:-1, :, b])) < SIGMAS
    for step in (1, 2):
        assert abs(correlation(x[:, :, :, step:], x[:, :, :, :-step])) < SIGMAS
        assert abs(correlation(x[..., step:], x[..., :-step])) < SIGMAS
    # And the squares, which a generator that repeats with another sign would not pass.
    y = (x**2 - 1) / math.sqrt(2)
    assert abs(correlation(y[1:], y[:-1])) < SIGMAS
    assert abs(correlation(y[:, :, 0], y[:, :, 1])) < SIGMAS


def test_replicas_groups_and_seeds_share_nothing() -> None:
    # Two whole groups, the next seed, and the largest seed; each is 17 000 numbers long.
    streams = [*noise_of(list(range(2 * GROUP)), draws=40).unbind(1),
               *noise_of(list(range(GROUP)), seed=1, draws=40).unbind(1),
               *noise_of([0], seed=(1 << 63) - 1, draws=40).unbind(1)]  # fmt: skip
    found = [abs(correlation(a, b)) for a, b in itertools.combinations(streams, 2)]
    assert max(found) < SIGMAS


@pytest.mark.parametrize("cells", [(24, 6), (6, 24), (5, 1), (1, 1), (7, 7)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_noise_of_a_replica_does_not_depend_on_its_company(cells: tuple[int, int], dtype: torch.dtype) -> None:
    def drawn(replicas: list[int]) -> Tensor:
        noise = ThermalNoise(torch.tensor(replicas), 3, torch.empty(0, dtype=dtype))
        return torch.stack([noise.draw(cells) for _ in range(3)], 1)

    everyone = drawn(list(range(30)))
    assert everyone.shape == (30, 3, 3, *cells)
    assert everyone.dtype == dtype
    for company in ([0], [13], [8, 9, 10], list(range(16, 30)), [7, 8], [1, 5, 22, 29], list(range(8, 16))):
        assert torch.equal(drawn(company), everyone[company])


def test_saved_state_goes_on_where_it_was() -> None:
    noise = ThermalNoise(torch.arange(12), 5, torch.empty(0))
    # An odd number of values, so that a generator with half a pair left over would be caught.
    noise.draw((5, 1))
    state = noise.state()
    expected = [noise.draw((5, 3)) for _ in range(3)]
    other = ThermalNoise(torch.arange(12), 99, torch.empty(0))
    other.draw((7, 2))
    other.load_state(state)
    for value in expected:
        assert torch.equal(other.draw((5, 3)), value)


@pytest.mark.parametrize("temperature", [300.0, 30.0])
def test_heun_applies_the_thermal_field_of_each_cell(temperature: float) -> None:
    """One tiny step of a film without any term turns m = z by gamma dt (−B_y, B_x) (alpha corrects by a part in 20).

    So the field is read off the step: its variance is sigma²/phi in each cell, and nothing moves in empty cells.
    """
    fill = torch.tensor([1.0, 0.5, 0.25, 0.0], dtype=torch.float64).repeat(12, 16)  # 12 x 64 cells
    film = Film(Grid(12, 64, 4e-9, 4e-9, 1e-9), MATERIAL, fill)
    dt, replicas = 1e-18, 24
    system = System(film, terms=(), replicas=replicas)
    stepper = Heun(system, uniform(film, (0, 0, 1)), dt=dt, temperature=temperature, seed=11)
    stepper.advance(0.0, dt)
    alpha = MATERIAL.damping
    sigma = thermal_amplitude(film, temperature, dt)
    # dm = −gamma dt/(1 + alpha²) (m × B + alpha m × (m × B)); both parts are of right angles and independent.
    spread = GYROMAGNETIC_RATIO * dt * sigma / math.sqrt(1 + alpha**2)
    assert spread < 1e-3  # small enough for the linear reading; the square of it is far below the errors
    for fraction in (1.0, 0.5, 0.25):
        turned = stepper.m[:, :2, fill == fraction]
        assert abs(float(turned.var()) * fraction / spread**2 - 1) < SIGMAS * math.sqrt(2 / turned.numel())
    assert not stepper.m[:, :, fill == 0].any()
    assert abs(correlation(stepper.m[:, 0, fill == 1] / spread, stepper.m[:, 1, fill == 1] / spread)) < SIGMAS


def test_both_stages_of_a_step_meet_the_same_field_and_every_step_a_new_one() -> None:
    """A free moment diffuses: after n small steps of independent noise its spread has grown by sqrt(n); steps that
    repeated the noise would give n. And the one step is that of the two stages with one field, written out.
    """
    film = Film(Grid(32, 32, 4e-9, 4e-9, 1e-9), MATERIAL)
    dt, steps = 1e-18, 9
    system = System(film, terms=(), replicas=8)
    stepper = Heun(system, uniform(film, (0, 0, 1)), dt=dt, temperature=300.0, seed=2)
    stepper.advance(0.0, dt)
    first = stepper.m.clone()
    field = thermal_amplitude(film, 300.0, dt) * noise_of(list(range(8)), seed=2, cells=(32, 32))[0]
    start = uniform(film, (0, 0, 1)).expand(8, -1, -1, -1)
    slope = system.rate(start, field.clone())
    predicted = start + dt * slope
    end = start + dt / 2 * (slope + system.rate(predicted, field.clone()))
    torch.testing.assert_close(first, end / end.norm(dim=1, keepdim=True), rtol=0, atol=1e-15)
    stepper.advance(dt, steps * dt)
    growth = float(stepper.m[:, :2].var() / first[:, :2].var())
    # Both variances have the same relative standard error, sqrt(2/n); the first step is in both.
    assert abs(growth / steps - 1) < SIGMAS * math.sqrt(4 / first[:, :2].numel())


def test_cold_film_draws_nothing() -> None:
    film = Film(Grid(2, 2, 4e-9, 4e-9, 1e-9), MATERIAL)
    stepper = Heun(System(film, terms=()), uniform(film, (0, 0, 1)), dt=1e-14)
    stepper.advance(0.0, 1e-13)
    assert torch.equal(stepper.m, uniform(film, (0, 0, 1)))
    assert "random" not in stepper.state_dict()


def test_thermal_energy_sets_the_amplitude() -> None:
    """Fluctuation and dissipation: sigma² dt = 2 alpha kB T/(gamma Ms V) for whatever cell."""
    for grid in (Grid(1, 1, 1e-9, 2e-9, 3e-9), Grid(9, 9, 5e-9, 5e-9, 0.6e-9)):
        sigma = thermal_amplitude(Film(grid, MATERIAL), 77.0, 3e-14)
        assert sigma**2 * 3e-14 * GYROMAGNETIC_RATIO * 1e6 * grid.cell_volume == pytest.approx(
            2 * 0.05 * BOLTZMANN * 77.0, rel=1e-12
        )
