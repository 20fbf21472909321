"""Equilibrium: how much work it takes, what is refused, and what is said of a state that is no minimum."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError, InputWarning, OutcomeError
from barkhausen.micromagnetics import (
    Drive,
    Exchange,
    Film,
    Grid,
    Material,
    NotConvergedError,
    ParameterMaps,
    PerpendicularAnisotropy,
    State,
    System,
    Torque,
    Waveform,
    Zeeman,
    domain_wall,
    largest_torque,
    material,
    minimize,
    relax,
    stability,
    uniform,
)
from barkhausen.micromagnetics.equilibrium.damped_motion import DampedMotion
from barkhausen.micromagnetics.equilibrium.rest import Counted

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

COFEB = material("cofeb-tantalum")
SPIN = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), COFEB)
TRACK = Film(Grid(24, 8, 4e-9, 4e-9, 1e-9), COFEB)

either = pytest.mark.parametrize("rest", [relax, minimize])

Rest = Callable[..., Tensor]


def counted(film: Film, drive: Drive | None = None) -> Counted:
    system = System(film, drive)
    return Counted(system, system.inputs(0.0))


# ---- work -----------------------------------------------------------------------------------------------------------


@either
@pytest.mark.parametrize("off", [0.2, 1e-3, 3e-5])
def test_a_spin_near_its_unstable_axis_costs_little(rest: Rest, off: float) -> None:
    """Leaving the maximum takes log(1/off) of damped motion or a few stalls of the descent: hundreds of evaluations."""
    system = counted(SPIN)
    m = rest(system, uniform(SPIN, (1.0, 0.0, off)))
    assert float(m[0, 2, 0, 0]) == pytest.approx(1.0, abs=1e-9)
    assert system.evaluations < 600


def test_a_creeping_wall_is_bounded_by_evaluations() -> None:
    """In 0.1 mT a wall moves for a microsecond, without ever coming to rest before the end of the track."""
    film = Film(Grid(40, 1, 4e-9, 4e-9, 1e-9), COFEB)
    system = counted(film, Drive(field_z=1e-4))
    with pytest.raises(NotConvergedError, match=r"^relax: largest torque is .* T after 200 field evaluations \("):
        relax(system, domain_wall(film), evaluations=200)
    # The limit, a look at torques without energy, and nothing more.
    assert system.evaluations <= 201


def test_the_limit_must_leave_something() -> None:
    with pytest.raises(InputError, match=r"^evaluations = 0: must be 1 or more$"):
        relax(System(SPIN), uniform(SPIN, (0, 0, 1)), evaluations=0)


def test_damped_motion_is_of_second_order_and_never_climbs() -> None:
    """Against a tolerance of 1e-10: an eighth of the tolerance, a quarter of the error; and steps far beyond those that
    a classical method could make."""
    system = counted(TRACK, Drive(field_x=0.1))
    start = domain_wall(TRACK, 40e-9, angle=1.0)

    def end(tolerance: float) -> Tensor:
        motion = DampedMotion(system, start, tolerance)
        motion.advance(5e-12)
        return motion.m

    exact = end(1e-10)
    assert float((exact - start).abs().max()) > 0.1
    errors = [float((end(tolerance) - exact).abs().max()) for tolerance in (8e-6, 1e-6)]
    assert 2.5 < errors[0] / errors[1] < 6.0
    motion = DampedMotion(system, start, 1e-4)
    system.evaluations = 0
    energies = []
    for _ in range(20):
        motion.advance(5e-12)
        energies.append(float(system.energy(motion.m)))
    assert all(after <= before + 1e-26 for before, after in itertools.pairwise(energies))
    # A stage of the method of Dormand and Prince covers 3.3/6 of 1/rate.
    assert system.evaluations < 0.4 * 100e-12 * motion.rate * 6 / 3.3
    assert float((torch.linalg.vector_norm(motion.m, dim=1) - 1).abs().max()) < 1e-14


def test_a_field_that_is_not_a_number_stops_relaxation() -> None:
    m = uniform(SPIN, (0, 0, 1)).clone()
    m[0, 0] = math.nan
    with pytest.raises(OutcomeError, match="the field is not a number"):
        relax(System(SPIN), m)


def test_frozen_cells_stay_and_count_for_nothing() -> None:
    """A wall is left between two frozen ends, the right one against the field."""
    frozen = torch.zeros(TRACK.grid.shape, dtype=torch.bool)
    frozen[[0, -1]] = True
    film = Film(TRACK.grid, COFEB, maps=ParameterMaps(frozen=frozen))
    system, start = System(film, Drive(field_z=0.05)), domain_wall(film, 40e-9)
    for rest in (relax, minimize):
        m = rest(system, start)
        assert torch.allclose(m[..., [0, -1], :], start[..., [0, -1], :], atol=1e-12, rtol=0)
        assert float(largest_torque(system, m)) < 1e-5
        assert float(m[0, 2, 12].mean()) > 0.9


# ---- torques without energy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("drive", "term"),
    [(Drive(current_density=1e11), "SpinOrbitTorque"), (Drive(magnet_current_density=1e11), "ZhangLi")],
)
def test_relax_refuses_a_current_at_once(drive: Drive, term: str) -> None:
    film = Film(TRACK.grid, material("cofeb-tantalum", spin_polarisation=0.5))
    system = counted(film, drive)
    # A uniform state, on which the Zhang-Li torque of this instant vanishes.
    with pytest.raises(InputError, match=rf"^relax: at t = 0 s a current acts through {term}, a torque that derives"):
        relax(system, uniform(film, (0.0, 0.0, 1.0)))
    assert system.evaluations == 0


def test_relax_takes_terms_whose_current_is_off_at_that_time() -> None:
    film = Film(TRACK.grid, material("cofeb-tantalum", spin_polarisation=0.5))
    pulse = Waveform.pulse(1e11, width=1e-9, start=1e-9)
    system = System(film, Drive(current_density=pulse, magnet_current_density=pulse))
    m = relax(system, uniform(film, (0.1, 0.0, 1.0)))
    assert float(largest_torque(system, m)) < 1e-5
    with pytest.raises(InputError, match=r"at t = 1\.5e-09 s a current acts through SpinOrbitTorque and ZhangLi"):
        relax(system, m, time=1.5e-9)


def test_relax_refuses_a_torque_of_ones_own() -> None:
    @dataclass(frozen=True)
    class Swirl(Torque):
        def add_field(self, out: Tensor, state: State) -> None:
            out[:, 0] += 0.1 * state.m[:, 1]

    with pytest.raises(InputError, match="Swirl"):
        relax(System(SPIN, terms=(Zeeman(), Swirl())), uniform(SPIN, (0, 0, 1)))


# ---- curvature ------------------------------------------------------------------------------------------------------


def test_curvature_of_a_spin_is_that_of_its_energy() -> None:
    """Along z 2 Ku/Ms − mu0 Ms (N_zz − N_xx); a cell of 4 x 4 x 1 nm is square, so both modes are alike."""
    constants, field = COFEB, 0.05
    shape = -float(SPIN.demag_kernel[2, 0, 0] - SPIN.demag_kernel[0, 0, 0])
    held = 2 * constants.anisotropy / constants.saturation_magnetisation - shape
    system = System(SPIN, Drive(field_z=field))
    for direction, expected in (((0, 0, 1), held + field), ((0, 0, -1), held - field)):
        found = stability(system, uniform(SPIN, direction))
        assert float(found.curvature) == pytest.approx(expected, rel=1e-6)
        assert float(found.error) < 1e-6
    # At the hard axis: free to turn in the plane, unstable out of it.
    found = stability(System(SPIN), uniform(SPIN, (1, 0, 0)))
    assert float(found.curvature) == pytest.approx(-held, rel=1e-6)
    assert abs(float(found.mode[0, 2, 0, 0])) == pytest.approx(1.0, rel=1e-6)
    assert bool(found.unstable)


@pytest.mark.parametrize("fill", [False, True])
def test_curvature_is_the_lowest_eigenvalue_of_the_hessian(fill: bool) -> None:
    """Against all eigenvalues of the Hessian assembled column by column, for states that differ between replicas."""
    generator = torch.Generator().manual_seed(3)
    parts = torch.rand(2, 5, 4, dtype=torch.float64, generator=generator)
    parts[parts < 0.2] = 0.0
    film = Film(Grid(5, 4, 4e-9, 4e-9, 1e-9), COFEB, parts if fill else None)
    system = System(film, Drive(field_x=[0.1, -0.3]), replicas=2)
    m = system.start(torch.cat((domain_wall(film, 8e-9), uniform(film, (1.0, 0.3, 0.2)))))
    found = stability(system, m, evaluations=70, accuracy=1e-7)
    base = system.field(m)
    for replica in range(2):
        weight = torch.ones(3, 5, 4, dtype=torch.float64) if not fill else parts[replica].expand(3, -1, -1)
        columns = []
        for k in range(60):
            v = torch.zeros(60, dtype=torch.float64)
            v[k] = 1.0
            direction = v.view(3, 5, 4)
            direction = direction - (direction * m[replica]).sum(0) * m[replica]
            direction = direction * (m[replica].square().sum(0) > 0)
            whole = torch.zeros_like(m)
            whole[replica] = direction
            image = (m * base).sum(1, keepdim=True) * whole - (system.field(m + whole) - base)
            image = image - (image * m).sum(1, keepdim=True) * m
            columns.append((weight.sqrt() * image[replica]).flatten())
        # In the scalar product of the moments. Along m, and in empty cells, the curvature is 0 without being a mode's.
        scaled = torch.stack(columns, 1) / weight.flatten().sqrt().clamp_min(1e-9)
        values = torch.linalg.eigvals(scaled)
        assert float(values.imag.abs().max()) < 1e-8
        real = values.real[values.real.abs() > 1e-9]
        assert float(found.curvature[replica]) == pytest.approx(float(real.min()), abs=2e-6)


def test_curvature_of_a_film_is_the_gap_of_its_spin_waves() -> None:
    """A film held by anisotropy alone: 2 Ku/Ms, the uniform mode, whatever exchange adds to the others."""
    film = Film(Grid(32, 16, 4e-9, 4e-9, 1e-9), COFEB)
    system = System(film, terms=(Exchange(), PerpendicularAnisotropy()))
    found = stability(system, uniform(film, (0, 0, 1)), accuracy=1e-4)
    assert found.evaluations < 100
    assert float(found.curvature) == pytest.approx(1.6, abs=1e-3)


def test_a_replica_has_the_same_curvature_alone() -> None:
    system, alone = System(TRACK, replicas=3), System(TRACK)
    m = torch.cat([domain_wall(TRACK, q) for q in (30e-9, 48e-9, 60e-9)])
    found = stability(system, m, evaluations=20, accuracy=0.0)
    assert float(found.curvature[0]) == pytest.approx(
        float(stability(alone, m[:1], evaluations=20).curvature), abs=1e-9
    )


def test_single_precision_sees_a_maximum() -> None:
    system = System(TRACK, dtype=torch.float32)
    assert bool(stability(system, uniform(TRACK, (0, 1, 0)).float(), sign_only=True).unstable)
    assert not bool(stability(system, uniform(TRACK, (0, 0, 1)).float(), sign_only=True).unstable)


# ---- maxima ---------------------------------------------------------------------------------------------------------


@either
def test_a_maximum_is_told(rest: Rest) -> None:
    """1e-6 off the hard axis the torque is below the limit."""
    start = uniform(SPIN, (1.0, 0.0, 1e-6))
    name = rest.__name__
    with pytest.warns(InputWarning, match=rf"^{name}: the state of replica 0 is at rest but a maximum or saddle"):
        m = rest(System(SPIN), start)
    assert float(m[0, 0, 0, 0]) == pytest.approx(1.0, abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(rest(System(SPIN), start, on_maximum="ignore"), m)


@either
def test_a_maximum_is_left_on_request_to_the_side_of_the_seed(rest: Rest) -> None:
    start = uniform(SPIN, (1.0, 0.0, 0.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ends = [float(rest(System(SPIN), start, on_maximum="perturb", seed=s)[0, 2, 0, 0]) for s in range(8)]
        again = float(rest(System(SPIN), start, on_maximum="perturb", seed=3)[0, 2, 0, 0])
    assert {round(z, 9) for z in ends} == {-1.0, 1.0}
    assert again == ends[3]


@either
def test_minima_are_left_where_they_are(rest: Rest) -> None:
    """A batch of a minimum and a maximum: only the second moves."""
    system = System(SPIN, replicas=2)
    start = torch.cat((uniform(SPIN, (0, 0, 1)), uniform(SPIN, (0, 1, 0))))
    m = rest(system, start, on_maximum="perturb", seed=1)
    assert torch.equal(m[0], start[0])
    assert abs(float(m[1, 2, 0, 0])) == pytest.approx(1.0, abs=1e-9)


def test_a_field_exactly_against_the_magnetisation_switches_on_request() -> None:
    """Beyond the switching field the old state is a maximum on which no torque acts."""
    held = float(stability(System(SPIN), uniform(SPIN, (0, 0, 1))).curvature)
    for field, expected in ((-0.98 * held, 1.0), (-1.02 * held, -1.0)):
        system = System(SPIN, Drive(field_z=field))
        m = minimize(system, uniform(SPIN, (0, 0, 1)), on_maximum="perturb")
        assert float(m[0, 2, 0, 0]) == pytest.approx(expected, abs=1e-6)


@either
def test_unknown_choice_is_refused(rest: Rest) -> None:
    with pytest.raises(InputError, match=r"^on_maximum = 'pertub': must be one of warn, perturb, ignore; .*perturb"):
        rest(System(SPIN), uniform(SPIN, (0, 0, 1)), on_maximum="pertub")


# ---- relax against minimize -----------------------------------------------------------------------------------------


def skyrmion_dot(cell: float) -> tuple[Film, Tensor]:
    """Dot of 80 nm with a skyrmion of 20 nm radius to start from; Pt/Co after Rohart and Thiaville 2013."""
    n = round(80e-9 / cell)
    x = (torch.arange(n, dtype=torch.float64) + 0.5) * cell - 40e-9
    radius = torch.hypot(x[:, None], x)
    constants = Material(
        saturation_magnetisation=5.8e5, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=3.5e-3
    )
    film = Film(Grid(n, n, cell, cell, 0.4e-9), constants, (radius < 40e-9).to(torch.float64))
    polar = math.pi * (radius / 20e-9).clamp_max(1.0)
    around = torch.atan2(x.expand(n, n), x[:, None].expand(n, n))
    m = torch.stack((torch.sin(polar) * torch.cos(around), torch.sin(polar) * torch.sin(around), -torch.cos(polar)))
    return film, m[None]


@pytest.mark.validation
@pytest.mark.parametrize(
    "cell", [2e-9, pytest.param(1e-9, marks=pytest.mark.slow), pytest.param(0.5e-9, marks=pytest.mark.slow)]
)
def test_relax_and_minimize_find_the_same_skyrmion(cell: float, report: Report) -> None:
    """Both go down from the same start to one minimum, each to a torque of 1e-5 T.

    The softest mode of the skyrmion is held by some 10 mT, so that states within that torque differ by 1e-3 at most.
    """
    film, start = skyrmion_dot(cell)
    system = System(film)
    one, other = (rest(system, start, on_maximum="ignore") for rest in (relax, minimize))
    assert bool((one[:, 2].amin((1, 2)) < -0.9) & (one[:, 2].amax((1, 2)) > 0.9))
    report(f"skyrmion in a dot, {1e9 * cell:g} nm cells, relax against minimize: largest |dm|",
           float((one - other).abs().max()), 0.0, 1e-3)  # fmt: skip
    energies = [float(system.energy(m)) for m in (one, other)]
    assert energies[0] == pytest.approx(energies[1], rel=1e-6)
    assert not bool(stability(system, other).unstable)


def test_frozen_film_has_no_curvature_and_a_state_of_nan_is_refused() -> None:
    frozen = torch.ones(3, 2, dtype=torch.bool)
    film = Film(Grid(3, 2, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"), maps=ParameterMaps(frozen=frozen))
    system, m = System(film), uniform(film, (0.0, 0.0, 1.0))
    assert stability(system, m).curvature.tolist() == [0.0]
    assert torch.equal(relax(system, m, on_maximum="ignore"), m)
    with pytest.raises(InputError, match=r"^m: not all values are finite$"):
        stability(system, m * torch.nan)
