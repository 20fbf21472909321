"""Constants at a temperature and the bare constants of a mesh: laws, limits, and samples of films."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError, InputWarning
from barkhausen.core.units import BOLTZMANN, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Drive,
    Film,
    Grid,
    Material,
    System,
    bare_film,
    bare_material,
    film_of_averages,
    simulate,
    uniform,
)
from barkhausen.micromagnetics.geometry.periodic_tensor import periodic_tensor
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.temperature.averages import thermal_order
from barkhausen.micromagnetics.temperature.bare import bare_constants
from barkhausen.micromagnetics.temperature.hybrid_monte_carlo import HybridMonteCarlo
from barkhausen.micromagnetics.temperature.spin_waves import _stray_tensor, softening

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

MEASURED = Material(
    saturation_magnetisation=1.0e6, exchange_stiffness=1.5e-11, damping=0.05, anisotropy=0.86e6, dmi=0.24e-3,
    spin_hall_angle=0.3, constants_at=300.0,
)  # fmt: skip
THICKNESS = 1e-9


def test_constants_follow_the_laws_and_come_back() -> None:
    hot = MEASURED.at(380.0)
    ratio = hot.saturation_magnetisation / MEASURED.saturation_magnetisation
    assert ratio == pytest.approx(MEASURED.order(380.0) / MEASURED.order(300.0), rel=1e-12)
    assert 0.9 < ratio < 0.99
    assert hot.anisotropy == pytest.approx(0.86e6 * ratio**2.2, rel=1e-12)
    assert hot.exchange_stiffness == pytest.approx(1.5e-11 * ratio**1.8, rel=1e-12)
    assert hot.dmi == pytest.approx(0.24e-3 * ratio**1.8, rel=1e-12)
    back = hot.at(300.0)
    for name in ("saturation_magnetisation", "exchange_stiffness", "anisotropy", "dmi", "constants_at"):
        assert getattr(back, name) == pytest.approx(getattr(MEASURED, name), rel=1e-12), name
    assert MEASURED.at(300.0) is MEASURED
    assert MEASURED.order(0.0) == 1.0
    # Kuz'min's law near the Curie point: the critical exponent 1/3.
    near = [MEASURED.order((1 - x) * MEASURED.curie_temperature) for x in (1e-6, 8e-6)]
    assert near[1] / near[0] == pytest.approx(2.0, rel=1e-4)
    cells = MEASURED.model_copy(update={"constants_at": 0.0})
    assert cells.at(380.0) is cells


@pytest.mark.parametrize(
    ("changes", "temperature", "message"),
    [
        ({}, 750.0, "below material.curie_temperature = 750 K"),
        ({"anisotropy": 0.5e6}, 300.0, "need a perpendicular film"),
        ({"cubic_anisotropy": 1e4}, 300.0, "need a perpendicular film without cubic anisotropy"),
        ({"spin_polarisation": 0.99}, 300.0, "would need more than 1"),
    ],
)
def test_impossible_constants_are_refused(changes: dict[str, float], temperature: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        bare_material(MEASURED.model_copy(update=changes), 4e-9, THICKNESS, temperature)


def test_constants_above_the_curie_temperature_are_refused() -> None:
    with pytest.raises(ValueError, match="constants_at = 300 K must be below curie_temperature = 200 K"):
        Material(**(MEASURED.model_dump() | {"curie_temperature": 200.0}))


def test_stray_field_between_cells_is_that_of_the_closed_form() -> None:
    """Against Newell's tensor summed over images; the lattice sum is cut at eight reciprocal vectors."""
    grid = Grid(12, 8, 4e-9, 3e-9, 1.5e-9, (True, True))
    tensor = periodic_tensor(grid)[:, grid.nx - 1 :, grid.ny - 1 :]
    waves = tuple(2 * math.pi * torch.fft.fftfreq(n, d, dtype=torch.float64) for n, d in ((12, 4e-9), (8, 3e-9)))
    ours = _stray_tensor(waves, (4e-9, 3e-9), 1.5e-9)
    reference = torch.fft.fft2(tensor).real
    # At the border of the zone N_xy has no sign.
    inner = torch.ones(12, 8, dtype=torch.bool)
    inner[6], inner[:, 4] = False, False
    for component in range(3):
        torch.testing.assert_close(ours[component], reference[component], rtol=0, atol=6e-3)
    torch.testing.assert_close(ours[3][inner], reference[3][inner], rtol=0, atol=6e-3)


def test_weak_fluctuations_soften_as_linear_spin_waves() -> None:
    """m of independent linear waves, here with a local stray field as in `thermal_order`, and its powers."""
    weak = Material(saturation_magnetisation=1e5, exchange_stiffness=1.5e-11, damping=0.05, anisotropy=0.25e6)
    soft = softening(weak, (4e-9, 4e-9), THICKNESS, 10.0)
    linear = thermal_order(Film(Grid(8, 8, 4e-9, 4e-9, THICKNESS), weak), 10.0)
    assert 1 - soft.order == pytest.approx(1 - linear, rel=0.01)
    assert soft.anisotropy == pytest.approx(soft.order**3, rel=1e-12)
    # A bond loses m, and half of what its energy loses: (kT − 2 Keff V (1 − m))/(8 A t) by equipartition.
    heat = BOLTZMANN * 10.0 - 2 * weak.effective_anisotropy * 16e-18 * THICKNESS * (1 - linear)
    assert soft.order - soft.exchange == pytest.approx(heat / (8 * weak.exchange_stiffness * THICKNESS), rel=0.01)


def test_bare_constants_keep_what_currents_do_and_scale_every_map() -> None:
    bare = bare_constants(MEASURED, 4e-9, THICKNESS, 300.0)
    mesh = bare_material(MEASURED, 4e-9, THICKNESS, 300.0)
    assert mesh.constants_at == 0
    assert mesh.spin_hall_angle / mesh.saturation_magnetisation == pytest.approx(3e-7, rel=1e-12)
    assert bare_material(mesh, 4e-9, THICKNESS, 300.0) is mesh
    ku = torch.tensor([0.86e6, 1.16e6], dtype=torch.float64)[None, :, None].expand(1, 2, 3)
    maps = ParameterMaps(saturation_magnetisation=torch.full((1, 2, 3), 0.5e6, dtype=torch.float64))
    film = Film(Grid(2, 3, 4e-9, 4e-9, THICKNESS), MEASURED, anisotropy=ku, maps=maps)
    found = bare_film(film, 300.0)
    assert found.anisotropy is not None and found.maps is not None
    assert float(found.anisotropy[0, 0, 0]) == pytest.approx(mesh.anisotropy, rel=1e-12)
    rise = float(found.anisotropy[0, 1, 0] - found.anisotropy[0, 0, 0])
    assert rise == pytest.approx(3e5 * bare.anisotropy_factor, rel=1e-9)
    assert found.maps.saturation_magnetisation is not None
    assert float(found.maps.saturation_magnetisation[0, 0, 0]) == pytest.approx(mesh.saturation_magnetisation / 2)
    cold = bare_film(film, 0.0)
    assert cold.material.saturation_magnetisation == pytest.approx(1e6 / MEASURED.order(300.0), rel=1e-12)


def test_averages_of_constants_of_cells_are_those_of_the_compact_model() -> None:
    cells = MEASURED.model_copy(update={"constants_at": 0.0})
    film = Film(Grid(8, 8, 4e-9, 4e-9, THICKNESS), cells)
    m = thermal_order(film, 300.0)
    found = film_of_averages(film, 300.0).material
    assert found.saturation_magnetisation == pytest.approx(m * 1e6)
    assert found.exchange_stiffness == pytest.approx(m**2 * 1.5e-11)
    assert found.anisotropy == pytest.approx(m**3 * 0.86e6)
    assert found.spin_hall_angle / found.saturation_magnetisation == pytest.approx(3e-7)
    same = film_of_averages(Film(film.grid, MEASURED), 300.0)
    assert same.material is MEASURED
    with pytest.raises(InputError, match="leave no magnetic order"):
        film_of_averages(film, 9000.0)


def test_simulating_averages_as_constants_of_cells_gives_a_warning() -> None:
    film = Film(Grid(4, 4, 4e-9, 4e-9, THICKNESS), MEASURED)
    with pytest.warns(InputWarning, match="bare_film"):
        simulate(film, duration=1e-12, every=1e-12, replicas=1, temperature=300.0)


def macrospin(field: float) -> tuple[System, float]:
    """One cell with a field along z, and Langevin's argument."""
    soft = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.1)
    film = Film(Grid(1, 1, 4e-9, 4e-9, 4e-9), soft)
    argument = film.moment * field / (BOLTZMANN * 300.0)
    return System(film, Drive(field_z=field), replicas=400), argument


def test_hybrid_monte_carlo_samples_langevins_function(report: Report) -> None:
    """A cube has no shape anisotropy. 400 replicas of 30 trajectories; the interval is four standard errors."""
    system, x = macrospin(0.2)
    chain = HybridMonteCarlo(system, 300.0, uniform(system.film, (0.0, 0.0, 1.0)), 1e5)
    mean, accepted = chain.run(40, torch.Generator().manual_seed(3), lambda m: m[:, 2, 0, 0])
    error = float(mean.std() / math.sqrt(len(mean)))
    report("<m_z> of a cell in a field, hybrid Monte Carlo", 1 / math.tanh(x) - 1 / x, float(mean.mean()), 4 * error)
    assert error < 0.01
    assert accepted > 0.5


def sampled(cell: int, sweeps: int, replicas: int) -> tuple[float, float, float]:
    """Ms <m> in A/m, B_K in T and its standard error of the film with bare constants, by its response to a field."""
    count = round(64 / cell)
    film = bare_film(Film(Grid(count, count, cell * 1e-9, cell * 1e-9, THICKNESS, (True, True)), MEASURED), 300.0)
    tilt = 0.35
    field = tilt * 2 * MEASURED.effective_anisotropy / MEASURED.saturation_magnetisation
    start = uniform(film, (tilt, 0.0, math.sqrt(1 - tilt**2)))
    chain = HybridMonteCarlo(
        System(film, Drive(field_x=field), replicas=replicas), 300.0, start, MEASURED.effective_anisotropy
    )
    means, _ = chain.run(sweeps, torch.Generator().manual_seed(cell), lambda m: m.mean((2, 3)))
    size = float(np.linalg.norm(means.mean(0)))
    mx, error = float(means[:, 0].mean()), float(means[:, 0].std()) / math.sqrt(replicas)
    return size * film.material.saturation_magnetisation, field * size / mx, field * size / mx * error / mx


@pytest.mark.validation
def test_a_film_on_4_nm_has_the_measured_averages(report: Report) -> None:
    moment, field, error = sampled(4, 60, 24)
    report("Ms <m> of bare constants on 4 nm cells", 1e6, moment, 5e3)
    wanted = 2 * MEASURED.effective_anisotropy / 1e6
    report("B_K of bare constants on 4 nm cells", wanted, field, 0.02 * wanted)
    assert error < 0.01 * wanted
    # Without them the film is a fifth softer, which the tolerance would show.
    bare = bare_constants(MEASURED, 4e-9, THICKNESS, 300.0)
    shape = 0.5 * VACUUM_PERMEABILITY * 1e12
    assert 2 * (0.86e6 * bare.softening.anisotropy - shape * bare.softening.order**2) / 1e6 < 0.9 * wanted


@pytest.mark.slow
@pytest.mark.validation
@pytest.mark.parametrize("cell", [2, 1])
def test_a_film_on_finer_cells_has_the_measured_averages(cell: int, report: Report) -> None:
    moment, field, error = sampled(cell, 120, 16)
    wanted = 2 * MEASURED.effective_anisotropy / 1e6
    report(f"Ms <m> of bare constants on {cell} nm cells", 1e6, moment, 5e3)
    report(f"B_K of bare constants on {cell} nm cells", wanted, field, 0.02 * wanted)
    assert error < 0.01 * wanted
