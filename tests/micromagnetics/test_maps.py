"""Parameters that differ from cell to cell: fields are derivatives of energies, and uniform maps change nothing."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import (
    CubicAnisotropy,
    Demag,
    Drive,
    EnergyTerm,
    Exchange,
    Film,
    Grid,
    Heun,
    InterfacialDMI,
    Material,
    ParameterMaps,
    StrainGate,
    System,
    UniaxialAnisotropy,
    Zeeman,
    choose_backend,
    random_state,
    standard_terms,
    thermal_amplitude,
    uniform,
)
from barkhausen.micromagnetics.terms import SpinOrbitTorque, ZhangLi

SHAPE = (5, 4)
MATERIAL = Material(saturation_magnetisation=0.8e6, exchange_stiffness=1.3e-11, damping=0.1, anisotropy=0.6e6,
                    dmi=0.9e-3, spin_hall_angle=0.2, field_like_ratio=0.4, spin_polarisation=0.5, non_adiabaticity=0.2,
                    cubic_anisotropy=2e4, cubic_axis_1=(1, 1, 0), cubic_axis_2=(1, -1, 0))  # fmt: skip
TERMS: tuple[EnergyTerm, ...] = (
    Exchange(), InterfacialDMI(), UniaxialAnisotropy(), CubicAnisotropy(), Zeeman(), Demag(),
)  # fmt: skip


def a_generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def unlike(periodic: tuple[bool, bool], fill: bool = True) -> Film:
    """Two devices that differ in everything."""
    generator = a_generator()

    def rand(*more: int) -> Tensor:
        return torch.rand(2, *more, *SHAPE, dtype=torch.float64, generator=generator)

    maps = ParameterMaps(
        saturation_magnetisation=0.8e6 * (0.5 + rand()), exchange_stiffness=1e-11 * (0.5 + rand()),
        dmi=2e-3 * (rand() - 0.5), damping=0.05 + 0.1 * rand(), easy_axis=rand(3) - 0.5, bond_x=rand(), bond_y=rand(),
        current=rand(2) - 0.5,
    )  # fmt: skip
    filled = torch.where(rand() < 0.2, 0.0, 0.3 + 0.7 * rand()) if fill else None
    return Film(Grid(*SHAPE, 2e-9, 3e-9, 1.5e-9, periodic), MATERIAL, filled, 6e5 * (0.5 + rand()), maps=maps)


@pytest.mark.parametrize("periodic", [(False, False), (True, False), (True, True)])
@pytest.mark.parametrize("term", TERMS, ids=lambda term: type(term).__name__)
def test_field_is_the_derivative_of_the_energy(term: EnergyTerm, periodic: tuple[bool, bool]) -> None:
    film = unlike(periodic)
    drive = Drive(field_x=0.3, field_z=-0.2, gate_voltage=1.0, gate=StrainGate())
    system = System(film, drive, (term,), replicas=2)
    m = random_state(film, 1, a_generator()).expand(2, -1, -1, -1) * (film.fill[:, None] > 0)
    field = system.field(m)
    moment = film.moment * system.film.relative_moment[:, None]
    step = 1e-5
    generator = a_generator()
    for _ in range(4):
        way = torch.randn(m.shape, dtype=torch.float64, generator=generator) * (m != 0)
        slope = (system.energy(m + step * way) - system.energy(m - step * way)) / (2 * step)
        torch.testing.assert_close(slope, -(moment * field * way).sum((1, 2, 3)), rtol=1e-7, atol=1e-28)


def test_maps_of_the_same_value_everywhere_change_nothing() -> None:
    grid = Grid(*SHAPE, 2e-9, 3e-9, 1.5e-9)
    fill = 0.2 + 0.8 * torch.rand(1, *SHAPE, dtype=torch.float64, generator=a_generator())

    def same(value: float) -> Tensor:
        return torch.full(SHAPE, value, dtype=torch.float64)

    current = torch.stack((same(1.0), same(0.0)))
    axis = torch.stack((same(0.0), same(0.0), same(2.0)))
    maps = ParameterMaps(same(0.8e6), same(1.3e-11), same(0.9e-3), same(0.1), same(1.0), current, axis, same(1.0),
                         same(1.0), torch.zeros(SHAPE, dtype=torch.bool))  # fmt: skip
    drive = Drive(current_density=1e12, magnet_current_density=1e12, field_y=0.1, gate_voltage=1, gate=StrainGate())
    plain, mapped = (System(Film(grid, MATERIAL, fill, maps=given), drive) for given in (None, maps))
    m = random_state(plain.film, 1, a_generator())
    torch.testing.assert_close(mapped.field(m), plain.field(m), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(mapped.energy(m), plain.energy(m), rtol=1e-12, atol=0.0)
    field = plain.field(m)
    torch.testing.assert_close(mapped.rate(m, field.clone()), plain.rate(m, field), rtol=1e-12, atol=1.0)


@pytest.mark.parametrize("axis", [0, 1])
def test_periodic_film_has_no_edge(axis: int) -> None:
    """A state that is shifted around the film feels the shifted field."""
    terms = (Exchange(), InterfacialDMI(), ZhangLi(), SpinOrbitTorque())
    current = torch.stack((torch.full(SHAPE, 0.6), torch.full(SHAPE, -0.8))).to(torch.float64)
    film = Film(Grid(*SHAPE, 2e-9, 3e-9, 1.5e-9, (True, True)), MATERIAL, maps=ParameterMaps(current=current))
    system = System(film, Drive(current_density=1e12, magnet_current_density=2e12), terms)
    m = random_state(film, 1, a_generator())
    shifted = system.field(m.roll(1, 2 + axis))
    torch.testing.assert_close(shifted, system.field(m).roll(1, 2 + axis), rtol=1e-12, atol=1e-13)


def test_cells_behave_as_films_of_their_own_material() -> None:
    """Two halves without bonds between them: each as a film of its own constants.

    The spin-transfer torque of a current through both still sees the gradient between them.
    """
    left = MATERIAL.model_copy(update={"saturation_magnetisation": 1.1e6, "damping": 0.3, "dmi": -0.9e-3})
    grid = Grid(8, 4, 2e-9, 2e-9, 1e-9)

    def halves(one: float, other: float) -> Tensor:
        values = torch.full((8, 4), one, dtype=torch.float64)
        values[4:] = other
        return values

    cut = torch.ones(8, 4, dtype=torch.float64)
    cut[3] = 0.0
    maps = ParameterMaps(saturation_magnetisation=halves(1.1e6, 0.8e6), damping=halves(0.3, 0.1),
                         dmi=halves(-0.9e-3, 0.9e-3), bond_x=cut)  # fmt: skip
    terms = tuple(term for term in standard_terms(MATERIAL) if not isinstance(term, Demag | ZhangLi))
    drive = Drive(current_density=1e12, gate_voltage=1.0, gate=StrainGate())
    whole = System(Film(grid, MATERIAL, maps=maps), drive, terms)
    m = random_state(whole.film, 1, a_generator())
    rate = whole.rate(m, whole.field(m))
    for material, part in ((left, slice(0, 4)), (MATERIAL, slice(4, 8))):
        own = System(Film(Grid(4, 4, 2e-9, 2e-9, 1e-9), material), drive, terms)
        expected = own.rate(m[:, :, part].contiguous(), own.field(m[:, :, part].contiguous()))
        torch.testing.assert_close(rate[:, :, part], expected, rtol=1e-11, atol=1.0)


def test_easy_axis_turns_everything() -> None:
    """Anisotropy along x acts on m as the one along z on m turned by 90 degrees."""
    film = Film(Grid(3, 3, 2e-9, 2e-9, 1e-9), MATERIAL.model_copy(update={"easy_axis": (1.0, 0.0, 0.0)}))
    m = random_state(film, 1, a_generator())
    turned = UniaxialAnisotropy().field(System(film).state(m))
    plain = UniaxialAnisotropy().field(System(Film(film.grid, MATERIAL)).state(m[:, [2, 1, 0]]))
    torch.testing.assert_close(turned, plain[:, [2, 1, 0]])


def test_current_along_y_is_a_current_along_x_turned() -> None:
    grid = Grid(4, 4, 2e-9, 2e-9, 1e-9)
    along_y = torch.stack((torch.zeros(4, 4), torch.ones(4, 4))).to(torch.float64)
    drive = Drive(current_density=1e12, magnet_current_density=3e12)
    terms = (SpinOrbitTorque(), ZhangLi(), Exchange(), InterfacialDMI())
    turned = System(Film(grid, MATERIAL, maps=ParameterMaps(current=along_y)), drive, terms)
    plain = System(Film(grid, MATERIAL), drive, terms)
    m = random_state(plain.film, 1, a_generator())
    # By 90 degrees about z: (x, y) -> (-y, x).
    rotated = torch.rot90(m, 1, (2, 3))[:, [1, 0, 2]] * torch.tensor([-1.0, 1.0, 1.0])[None, :, None, None]
    field = torch.rot90(plain.field(m), 1, (2, 3))[:, [1, 0, 2]] * torch.tensor([-1.0, 1.0, 1.0])[None, :, None, None]
    torch.testing.assert_close(turned.field(rotated), field, rtol=1e-11, atol=1e-12)


def test_frozen_cells_stay_and_noise_follows_damping_temperature_and_moment() -> None:
    grid = Grid(4, 3, 2e-9, 2e-9, 1e-9)
    frozen = torch.zeros(4, 3, dtype=torch.bool)
    frozen[0] = True
    maps = ParameterMaps(saturation_magnetisation=torch.full((4, 3), 1.6e6), damping=torch.full((4, 3), 0.4),
                         temperature=torch.full((4, 3), 0.25), frozen=frozen)  # fmt: skip
    film = Film(grid, MATERIAL, maps=maps)
    own = MATERIAL.model_copy(update={"saturation_magnetisation": 1.6e6, "damping": 0.4})
    expected = thermal_amplitude(Film(grid, own), 75.0, 1e-14) / thermal_amplitude(film, 300.0, 1e-14)
    assert film.thermal_factor is not None
    torch.testing.assert_close(film.thermal_factor[:, 1:].double(), torch.full((1, 3, 3), expected).double())
    start = uniform(film, (0.3, 0.2, 1.0))
    system = System(film)
    stepper = Heun(system, start, dt=1e-14, temperature=300.0)
    stepper.advance(0.0, 1e-12)
    assert torch.equal(stepper.m[:, :, 0], start[:, :, 0])
    assert float((stepper.m[:, :, 1:] - start[:, :, 1:]).abs().min()) > 0


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ({"damping": torch.full((3, 4), 0.1)}, r"film.maps.damping: \(3, 4\) cells are not the grid's \(5, 4\)"),
        ({"dmi": torch.full(SHAPE, 0.24)}, r"film.maps.dmi = 0.24 J/m2 is no DMI constant; 0.24e-3 \(0.24 mJ/m2\)\?"),
        ({"current": torch.ones(SHAPE)}, r"film.maps.current: shape \(5, 4\) is not \(device, 2, nx, ny\)"),
        ({"temperature": torch.full(SHAPE, -1.0)}, "film.maps.temperature = -1: must be zero or positive"),
        ({"exchange_stiffness": torch.zeros(SHAPE)}, "film.maps.exchange_stiffness = 0: must be positive"),
        ({"saturation_magnetisation": torch.zeros(SHAPE)}, "film.maps.saturation_magnetisation = 0: must be positive; "
         "leave cells without material empty by film.fill"),
        ({"easy_axis": torch.zeros(3, *SHAPE)}, "film.maps.easy_axis: a cell has an axis without a direction"),
        ({"bond_x": torch.full(SHAPE, math.nan)}, "film.maps.bond_x: not all values are finite"),
        ({"dmi": torch.zeros(2, *SHAPE), "damping": torch.ones(3, *SHAPE)},
         r"film: maps.dmi and maps.damping are given for different numbers of devices \[2, 3\]"),
    ],
)  # fmt: skip
def test_wrong_maps_are_refused(maps: dict[str, Tensor], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        Film(Grid(*SHAPE, 2e-9, 2e-9, 1e-9), MATERIAL, maps=ParameterMaps(**maps))


def test_kernel_says_what_it_does_not_compute() -> None:
    film = unlike((True, False))
    with pytest.raises(InputError, match=r"^backend = .compiled.: the compiled kernel cannot be used: "):
        choose_backend(film, standard_terms(MATERIAL, film.maps), 2, name="compiled")
    assert choose_backend(film, standard_terms(MATERIAL, film.maps), 2).name == "torch"
