from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import (
    BOHR_MAGNETON,
    ELEMENTARY_CHARGE,
    GYROMAGNETIC_RATIO,
    REDUCED_PLANCK,
    VACUUM_PERMEABILITY,
)
from barkhausen.micromagnetics import (
    Demag,
    Drive,
    EnergyTerm,
    Exchange,
    Film,
    Grid,
    InterfacialDMI,
    Material,
    SpinOrbitTorque,
    State,
    StrainGate,
    System,
    Term,
    Torque,
    UniaxialAnisotropy,
    Zeeman,
    ZhangLi,
    random_state,
    standard_terms,
)
from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor

MATERIAL = Material(saturation_magnetisation=0.9e6, exchange_stiffness=1.2e-11, damping=0.1, anisotropy=0.7e6,
                    dmi=1.1e-3, spin_hall_angle=0.2, field_like_ratio=-0.7, spin_polarisation=0.6,
                    non_adiabaticity=0.3)  # fmt: skip

ENERGY_TERMS: tuple[EnergyTerm, ...] = (Exchange(), Demag(), UniaxialAnisotropy(), InterfacialDMI(), Zeeman())
ALL_TERMS: tuple[Term, ...] = (*ENERGY_TERMS, SpinOrbitTorque(), ZhangLi())
SHAPES = [(6, 4), (4, 6), (9, 1), (1, 9), (1, 1), (5, 5), (2, 3)]
REPLICAS = 3

each_term = pytest.mark.parametrize("term", ENERGY_TERMS, ids=lambda term: type(term).__name__)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape[0]}x{shape[1]}")
either_film = pytest.mark.parametrize("cut", [False, True], ids=["full", "cut"])


def example(shape: tuple[int, int], cut: bool, seed: int = 0) -> tuple[System, Tensor]:
    """Three replicas that differ in everything, with a drive of everything, and a random state of them."""
    generator = torch.Generator().manual_seed(seed)

    def random(*size: int) -> Tensor:
        return torch.rand(*size, dtype=torch.float64, generator=generator)

    fill = edge = None
    if cut:
        # A third of the cells are empty, a third full; one is filled in any case.
        fill = random(REPLICAS, *shape)
        fill = torch.where(fill < 1 / 3, 0.0, torch.where(fill > 2 / 3, 1.0, fill))
        fill[:, shape[0] // 2, shape[1] // 2] = 0.5
        edge = 0.1 * (random(REPLICAS, 3, *shape) - 0.5) * (fill > 0)[:, None]
    film = Film(
        Grid(*shape, 2e-9, 3e-9, 1.5e-9), MATERIAL, fill, 0.7e6 * (0.5 + random(REPLICAS, *shape)), edge_demag=edge
    )
    drive = Drive(current_density=1e12 * (random(REPLICAS) - 0.5), magnet_current_density=1e12 * random(REPLICAS),
                  field_x=random(REPLICAS) - 0.5, field_y=random(REPLICAS) - 0.5, field_z=random(REPLICAS) - 0.5,
                  gate_voltage=2 * random(REPLICAS) - 1, gate=StrainGate(), gate_profile=random(*shape))  # fmt: skip
    system = System(film, drive, ALL_TERMS, replicas=REPLICAS)
    m = random_state(film, REPLICAS, generator)
    return system, m if fill is None else m * (fill > 0)[:, None]


def filled(system: System) -> Tensor:
    """Filled fractions ``[replica, nx, ny]``."""
    film = system.film
    return torch.ones(REPLICAS, *film.grid.shape, dtype=torch.float64) if film.fill is None else film.fill


def alone(system: System, replica: int) -> State:
    """One replica, ready for a batch of its states."""
    index = torch.tensor([replica])
    part = System(system.film.select(index), system.drive.select(index), system.terms)
    return part.state(torch.zeros(1, 3, *system.film.grid.shape, dtype=torch.float64))


@each_term
@each_shape
@either_film
def test_field_is_the_derivative_of_the_energy(term: EnergyTerm, shape: tuple[int, int], cut: bool) -> None:
    """B_i = −(1/(Ms V phi_i)) dE/dm_i. All energies are quadratic, so that central differences are exact for any step;
    what remains is rounding: the energies add some 50 terms of 1 T, and the field is of the order of a tesla.
    """
    system, m = example(shape, cut)
    for replica in range(REPLICAS):
        state = alone(system, replica)
        here = m[replica]
        steps = torch.eye(here.numel(), dtype=torch.float64).unflatten(1, here.shape)
        energies = [term.energy(State(state.film, here + sign * steps, state.inputs, state.gate_profile))
                    for sign in (1, -1)]  # fmt: skip
        slope = ((energies[0] - energies[1]) / 2).view_as(here)
        field = term.field(State(state.film, here[None], state.inputs, state.gate_profile))[0]
        fill = filled(system)[replica]
        torch.testing.assert_close(-slope / state.film.moment, fill * field, rtol=1e-11, atol=1e-11)
        if shape != (1, 1) or isinstance(term, (Demag, UniaxialAnisotropy, Zeeman)):
            # A random film may have nothing but lonely cells, but the field of most terms is not zero throughout.
            assert float(field.abs().max()) > 1e-3 or (cut and isinstance(term, (Exchange, InterfacialDMI)))
        else:
            assert not field.any()


@each_shape
@either_film
def test_energies_are_those_of_the_formulas(shape: tuple[int, int], cut: bool) -> None:
    """Against sums over cells and bonds, written anew. Sums of some 50 numbers of one size; 1e-12 is rounding."""
    system, m = example(shape, cut)
    grid, state = system.film.grid, system.state(m)
    fill = filled(system)
    anisotropy = system.film.anisotropy
    assert anisotropy is not None
    assert system.gate_profile is not None
    found = {type(term): term.energy(state) for term in ENERGY_TERMS}
    for replica in range(REPLICAS):
        exchange = dmi = uniaxial = zeeman = 0.0
        for x, y in itertools.product(range(shape[0]), range(shape[1])):
            here, phi = m[replica, :, x, y], fill[replica, x, y]
            ku = anisotropy[replica, x, y] + state.inputs.anisotropy_change[replica] * system.gate_profile[x, y]
            uniaxial -= ku * here[2] ** 2 * phi * grid.cell_volume
            zeeman -= phi * system.film.moment * (here @ state.inputs.field[:, replica])
            for axis, (i, j), step in ((0, (x + 1, y), grid.dx), (1, (x, y + 1), grid.dy)):
                if i == shape[0] or j == shape[1]:
                    continue
                there, bond = m[replica, :, i, j], torch.minimum(phi, fill[replica, i, j])
                volume = bond * grid.cell_volume
                exchange += MATERIAL.exchange_stiffness * volume * ((here - there) ** 2).sum() / step**2
                dmi += MATERIAL.dmi * volume * (here[2] * there[axis] - here[axis] * there[2]) / step
        for kind, value in ((Exchange, exchange), (InterfacialDMI, dmi), (UniaxialAnisotropy, uniaxial),
                            (Zeeman, zeeman)):  # fmt: skip
            assert float(found[kind][replica]) == pytest.approx(float(value), rel=1e-12, abs=1e-32)
    torch.testing.assert_close(system.energy(m), sum(found.values(), torch.zeros(REPLICAS, dtype=torch.float64)))


@each_shape
@either_film
def test_stray_field_is_the_direct_sum_over_all_pairs(shape: tuple[int, int], cut: bool) -> None:
    """−mu0 Ms sum_j N_ij phi_j m_j, pair by pair. Transforms of some 100 numbers of a tesla round below 1e-13."""
    system, m = example(shape, cut)
    nx, ny = shape
    xx, yy, zz, xy = demagnetisation_tensor(nx, ny, 2e-9, 3e-9, 1.5e-9)
    fill = filled(system)
    expected = torch.zeros_like(m)
    for x, y in itertools.product(range(nx), range(ny)):
        for i, j in itertools.product(range(nx), range(ny)):
            at = (nx - 1 + x - i, ny - 1 + y - j)
            zero = torch.zeros(())
            tensor = torch.tensor([[xx[at], xy[at], zero], [xy[at], yy[at], zero], [zero, zero, zz[at]]]).double()
            expected[:, :, x, y] -= fill[:, i, j, None] * (m[:, :, i, j] @ tensor)
    if cut:
        # A cell's own correction, up to a multiple of m.
        edge = system.film.edge_demag
        assert edge is not None
        expected -= (edge - edge[:, 1:2]) * m
    expected *= VACUUM_PERMEABILITY * MATERIAL.saturation_magnetisation
    torch.testing.assert_close(Demag().field(system.state(m)), expected, rtol=0, atol=1e-13)


@either_film
def test_exchange_exerts_no_net_torque(cut: bool) -> None:
    """What one cell gives, its neighbour takes: sum_i phi_i m_i × B_i = 0. 150 terms of 100 T round to 1e-11."""
    system, m = example((8, 7), cut)
    torque = torch.linalg.cross(m, Exchange().field(system.state(m)), dim=1) * filled(system)[:, None]
    assert float(torque.abs().max()) > 1.0
    assert float(torque.sum((2, 3)).abs().max()) < 1e-11


@either_film
def test_fields_do_not_depend_on_what_an_empty_cell_holds(cut: bool) -> None:
    system, m = example((6, 4), cut)
    if not cut:
        # The counterpart: a full cell matters, so that the test below can fail.
        changed = m.clone()
        changed[:, :, 2, 2] = 0.3
        assert not torch.equal(system.field(changed)[:, :, 0], system.field(m)[:, :, 0])
        return
    empty = (filled(system) == 0)[:, None].expand_as(m)
    assert bool(empty.any())
    here, there = system.field(m), system.field(torch.where(empty, 5.0, m))
    assert torch.equal(here[~empty], there[~empty])


def test_magnetisation_turns_at_right_angles_to_itself_and_not_in_empty_cells() -> None:
    system, m = example((6, 4), cut=True)
    rate = system.rate(m, system.field(m))
    assert not rate[(filled(system) == 0)[:, None].expand_as(m)].any()
    # Relative to |dm/dt|: a few roundings.
    assert float(((rate * m).sum(1) / torch.linalg.vector_norm(rate, dim=1).amax()).abs().max()) < 1e-14


def test_equation_of_motion_solves_that_of_gilbert() -> None:
    """dm/dt = −gamma m × B + alpha m × dm/dt, for the rate that the explicit form gives."""
    system, m = example((6, 4), cut=False)
    field = system.field(m)
    rate = system.rate(m, field.clone())
    implicit = -GYROMAGNETIC_RATIO * torch.linalg.cross(m, field, dim=1)
    implicit += MATERIAL.damping * torch.linalg.cross(m, rate, dim=1)
    torch.testing.assert_close(rate, implicit, rtol=1e-12, atol=1e-12 * float(rate.abs().max()))


@pytest.mark.parametrize("polarisation", [(0.0, -1.0, 0.0), (3.0, 0.0, 4.0), (1.0, 2.0, -2.0)])
def test_spin_orbit_torque_has_a_damping_like_and_a_field_like_part(polarisation: tuple[float, float, float]) -> None:
    """−gamma m × B with B = B_DL m × sigma + B_FL sigma is the combination of m × (m × sigma) and m × sigma."""
    system, m = example((4, 3), cut=False)
    sigma = torch.tensor(polarisation, dtype=torch.float64)
    sigma = (sigma / sigma.norm())[:, None, None].expand_as(m[0])[None].expand_as(m)
    inputs = system.inputs(0.0)
    scale = REDUCED_PLANCK * 0.2 / (2 * ELEMENTARY_CHARGE * 0.9e6 * 1.5e-9)
    strength = (scale * inputs.current_density)[:, None, None, None]
    assert float(strength.abs().max()) > 1e-2
    field = SpinOrbitTorque(polarisation).field(system.state(m))
    across = torch.linalg.cross(m, sigma, dim=1)
    # A few roundings of fields of 0.02 T.
    torch.testing.assert_close(field, strength * (across - 0.7 * sigma), rtol=1e-13, atol=1e-16)
    torque = torch.linalg.cross(m, field, dim=1)
    # The two parts are at right angles to each other and to m; so they are recovered by projection.
    double = torch.linalg.cross(m, across, dim=1)
    for part, share in ((double, 1.0), (across, -0.7)):
        projected = (torque * part).sum(1) / (part * part).sum(1)
        torch.testing.assert_close(projected, (share * strength[:, 0]).expand_as(projected), rtol=1e-10, atol=1e-14)


def test_spin_orbit_field_by_hand() -> None:
    # hbar theta / (2 e Ms t) = 1.0545718e-34 × 0.2 / (2 × 1.602177e-19 × 0.9e6 × 1.5e-9) = 4.8757e-14 T m²/A.
    film = Film(Grid(1, 1, 2e-9, 2e-9, 1.5e-9), MATERIAL)
    assert SpinOrbitTorque.field_per_current(film) == pytest.approx(4.8757e-14, rel=1e-4)
    # m = x, sigma = −y, J > 0: B_DL (x × −y) + B_FL (−y), with B_FL = −0.7 B_DL.
    system = System(film, Drive(current_density=1e12), (SpinOrbitTorque(),))
    m = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64).view(1, 3, 1, 1)
    assert system.field(m).flatten().tolist() == pytest.approx([0.0, 0.7 * 0.048757, -0.048757], rel=1e-4)


@pytest.mark.parametrize("polarisation", [(0.0, 0.0, 0.0), (math.nan, 0.0, 1.0), (math.inf, 0.0, 0.0)])
def test_polarisation_without_direction_is_refused(polarisation: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match=r"^spin-orbit torque: polarisation = \(.*\): needs a direction$"):
        SpinOrbitTorque(polarisation)


@either_film
def test_zhang_li_torque_is_the_documented_one(cut: bool) -> None:
    """In Gilbert's equation −gamma m × B must be −(u·grad) m + xi m × (u·grad) m, (u·grad) m taken across m (the
    gradient of a unit vector has no other part, but its central difference has one of second order).
    """
    system, m = example((7, 3), cut)
    fill = filled(system)
    drift = (
        -BOHR_MAGNETON * 0.6 / (ELEMENTARY_CHARGE * 0.9e6 * (1 + 0.3**2)) * system.inputs(0.0).magnet_current_density
    )
    gradient = torch.zeros_like(m)
    for x in range(7):
        for there, sign in ((x + 1, 1.0), (x - 1, -1.0)):
            if 0 <= there < 7:
                share = torch.minimum(fill[:, x], fill[:, there]) / fill[:, x].clamp_min(1e-300)
                gradient[:, :, x] += sign * share[:, None] * (m[:, :, there] - m[:, :, x]) / (2 * 2e-9)
        if 2 <= x < 5:  # to the fourth order
            least = fill[:, x - 2 : x + 3].amin(1) / fill[:, x].clamp_min(1e-300)
            near, far = m[:, :, x + 1] - m[:, :, x - 1], m[:, :, x + 2] - m[:, :, x - 2]
            gradient[:, :, x] += least[:, None] * (2 * near - far) / (12 * 2e-9)
    gradient *= drift[:, None, None, None]
    across = torch.linalg.cross(m, gradient, dim=1)
    transverse = -torch.linalg.cross(m, across, dim=1)
    torque = -GYROMAGNETIC_RATIO * torch.linalg.cross(m, ZhangLi().field(system.state(m)), dim=1)
    largest = float(torque.abs().max())
    assert largest > 1e9  # u/dx: some 10 m/s over 2 nm
    torch.testing.assert_close(torque, -transverse + 0.3 * across, rtol=0, atol=1e-13 * largest)


def test_standard_terms_are_those_that_the_material_has() -> None:
    def names(**changes: float) -> list[str]:
        return [type(term).__name__ for term in standard_terms(bare.model_copy(update=changes))]

    bare = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.1)
    always = ["Exchange", "Demag", "UniaxialAnisotropy", "Zeeman"]
    assert names() == always
    assert names(dmi=-1e-3) == [*always, "InterfacialDMI"]
    assert names(spin_hall_angle=0.1) == [*always, "SpinOrbitTorque"]
    assert names(spin_polarisation=-0.5) == [*always, "ZhangLi"]


@pytest.mark.parametrize("term", ALL_TERMS, ids=lambda term: type(term).__name__)
def test_fields_add_to_what_is_there_and_torques_have_no_energy(term: Term) -> None:
    system, m = example((6, 4), cut=True)
    state = system.state(m)
    out = torch.full_like(m, 3.0)
    term.add_field(out, state)
    # Sums with 3 T of fields of up to 100 T.
    torch.testing.assert_close(out, 3.0 + term.field(state), rtol=1e-14, atol=1e-13)
    assert isinstance(term, Torque) != isinstance(term, EnergyTerm)


def test_float32_fields_are_those_of_float64_to_rounding() -> None:
    system, m = example((9, 5), cut=True)
    single = System(Film(system.film.grid, MATERIAL, system.film.fill, system.film.anisotropy,
                         edge_demag=system.film.edge_demag), system.drive, ALL_TERMS, replicas=REPLICAS,
                    dtype=torch.float32)  # fmt: skip
    exact = system.field(m)
    field = single.field(m.to(torch.float32))
    assert field.dtype == torch.float32
    # Some ten operations on fields of up to 100 T, 6e-8 each.
    assert float((field - exact).abs().max()) < 2e-6 * float(exact.abs().max())
