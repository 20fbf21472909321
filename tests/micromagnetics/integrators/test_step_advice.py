"""What step the film allows: the limits claimed against what the method does."""

from __future__ import annotations

import math

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN, GYROMAGNETIC_RATIO, VACUUM_PERMEABILITY
from barkhausen.micromagnetics import (
    Drive,
    Exchange,
    Film,
    Grid,
    Heun,
    Material,
    StepAdvice,
    StrainGate,
    System,
    UniaxialAnisotropy,
    advise_step,
    material,
    uniform,
)
from barkhausen.micromagnetics.integrators.step_size import HEATING

FILM = Film(Grid(32, 8, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))


pytestmark = pytest.mark.usefixtures("one_thread")


def hard(damping: float, nx: int = 1, ny: int = 1) -> Film:
    """Anisotropy far above the demagnetising field, so that it alone holds a cell."""
    constants = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=damping, anisotropy=2e6)
    return Film(Grid(nx, ny, 3e-9, 4e-9, 1e-9), constants)


def growth(film: Film, dt: float, mode: torch.Tensor, steps: int) -> float:
    """Amplitude of a small transverse mode after and before so many steps."""
    m = uniform(film, (0, 0, 1))
    m[0, 0] = 1e-7 * mode
    stepper = Heun(System(film, terms=(Exchange(), UniaxialAnisotropy())), m, dt=dt)
    before = float(stepper.m[:, :2].norm())
    stepper.advance(0.0, steps * dt)
    return float(stepper.m[:, :2].norm()) / before


def checkerboard(cells: int) -> torch.Tensor:
    """The shortest wave of a chain with free ends: cos(k (i + 1/2)), k = pi (1 − 1/cells)."""
    return torch.cos(math.pi * (1 - 1 / cells) * (torch.arange(cells, dtype=torch.float64) + 0.5))


@pytest.mark.parametrize(
    ("damping", "cells"),
    [(0.03, (1, 1)), (0.3, (1, 1)), (1.0, (1, 1)), (5.0, (1, 1)), (0.3, (96, 1)), (0.3, (1, 96)), (0.1, (48, 48))],
)
def test_stable_is_the_true_limit(damping: float, cells: tuple[int, int]) -> None:
    """A mode at |R(z)| = 1 neither grows nor decays; 2 % on either side it does.

    So many steps that a mode of the infinite film would grow a thousandfold at 1.02. The checkerboard of 48 cells falls
    short of that by sin²(pi/96) = 0.11 % in frequency, which is a twentieth of the 2 %.
    """
    film = hard(damping, *cells)
    mode = checkerboard(cells[0])[:, None] * checkerboard(cells[1])
    advice = advise_step(film)
    z = 1.02 * advice.stable * advice.frequency * complex(-damping, 1)
    steps = math.ceil(math.log(1e3) / math.log(abs(1 + z + z * z / 2)))
    assert growth(film, 0.98 * advice.stable, mode, steps) < 0.1
    assert growth(film, 1.02 * advice.stable, mode, steps) > 10.0


def exact_heating(damping: float, phase: float) -> float:
    """Of a linear mode under Heun's method: the noise enters by |1 + z/2|², and 1 − |R|² of it is lost a step."""
    z = complex(-damping * phase, phase)
    gain = abs(1 + z + z * z / 2) ** 2
    return 2 * damping * phase * abs(1 + z / 2) ** 2 / (1 - gain) - 1


@pytest.mark.parametrize("damping", [0.03, 0.1])
def test_heating_is_what_a_strongly_bound_moment_shows(damping: float) -> None:
    """At the recommended step, against the variance of independent moments held by 4 T at 2 K.

    Expected variance of each component kB T/(Ms V B), to first order in it (4e-4: the field on the moment is weaker by
    m_z, its perpendicular fluctuations are larger by about twice that).
    """
    temperature, cells = 2.0, 32
    film = hard(damping, cells, cells)
    advice = advise_step(film, temperature=temperature)
    dt, phase = advice.dt, GYROMAGNETIC_RATIO * 4.0 * advice.dt / (1 + damping**2)
    # Alone the moments are not held by exchange: the same phase a step as the stiffest mode has.
    scale = advice.frequency * advice.dt / phase
    dt, phase = scale * dt, scale * phase
    system = System(film, terms=(UniaxialAnisotropy(),), replicas=8)
    stepper = Heun(system, uniform(film, (0, 0, 1)), dt=dt, temperature=temperature, seed=1)
    # A variance loses its memory at 2 alpha phi a step; first from cold, then from sample to sample.
    memory = math.ceil(1 / (2 * damping * phase))
    stepper.advance(0.0, 10 * memory * dt)
    samples = []
    for _ in range(6):
        stepper.advance(0.0, 3 * memory * dt)
        samples.append(float((stepper.m[:, :2] ** 2).mean()))
    thermal = BOLTZMANN * temperature / (film.moment * 4.0)
    assert thermal < 6e-4
    measured = sum(samples) / 6 / thermal - 1
    # 6 samples of 16 384 values, correlated by e^-3 from one to the next: standard error sqrt(2/n (1 + 0.1)) = 0.47 %.
    error = math.sqrt(2 * 1.1 / (6 * 8 * 2 * cells**2))
    assert abs(measured - exact_heating(damping, phase)) < 4 * error + 3 * thermal
    # What is printed is the leading order in the phase; it leaves out a cooling of phase²/4: it errs to the safe side.
    claimed = advice.heating
    assert claimed == pytest.approx(HEATING, rel=0.12)  # two digits of the step, rounded down: up to 3.3 % in its cube
    assert measured - 4 * error < claimed < measured + 4 * error + (1 + claimed) ** 2 * phase**2 / 4


@pytest.mark.parametrize("damping", [0.001, 0.01, 0.03, 0.1, 0.5, 1.0, 10.0])
@pytest.mark.parametrize("cell", [1e-9, 4e-9, 50e-9])
def test_recommended_step_is_safely_stable_and_hardly_hot(damping: float, cell: float) -> None:
    film = Film(Grid(16, 8, cell, cell, 1e-9), material("cofeb-tantalum", damping=damping))
    advice = advise_step(film)
    assert advice.dt == advice.recommended
    assert 0 < advice.recommended <= 0.5 * advice.stable
    assert advice.heating <= HEATING * (1 + 1e-9)
    assert "is fine" in advice.verdict
    # Two digits: no more than a tenth is given away.
    longest = min(0.5 * advice.stable, (8 * damping * HEATING / (1 + HEATING)) ** (1 / 3) / advice.frequency)
    assert advice.recommended > 0.9 * longest
    assert f"{advice.recommended:.1e}" == f"{advice.recommended:.6e}".replace("00000e", "e")


def test_stiffest_field_by_hand() -> None:
    # 8 A/Ms (1/dx² + 1/dy²) = 8 × 1.5e-11/1e6 × 2/16e-18 = 15 T; beside it 2 Ku/Ms = 1.6 T exceeds mu0 Ms = 1.26 T.
    assert advise_step(FILM).stiffest_field == pytest.approx(16.6, rel=1e-12)
    soft = Film(FILM.grid, material("cofeb-tantalum", anisotropy=0.0))
    assert advise_step(soft).stiffest_field == pytest.approx(15 + VACUUM_PERMEABILITY * 1e6, rel=1e-12)
    row = Film(Grid(32, 1, 4e-9, 4e-9, 1e-9), FILM.material)
    assert advise_step(row).stiffest_field == pytest.approx(9.1, rel=1e-12)
    # The stiffest cell of the hardest device counts.
    anisotropy = torch.full((2, 32, 8), 0.8e6)
    anisotropy[1, 3, 3] = 1.6e6
    assert advise_step(Film(FILM.grid, FILM.material, anisotropy=anisotropy)).stiffest_field == pytest.approx(18.2)


def test_drive_field_by_hand() -> None:
    drive = Drive(
        field_x=[0.0, -0.3], field_z=0.4, current_density=[1e11, -1e12], gate_voltage=[-2.0, 1.0], gate=StrainGate(),
        gate_profile=torch.full((32, 8), 0.5),
    )  # fmt: skip
    # |B| = 0.5; B_DL = 1.0545718e-34 × 0.15 × 1e12/(2 × 1.602177e-19 × 1e6 × 1e-9) = 0.049366;
    # 2/Ms × 148.2e3 × 2 × 0.5 = 0.2964.
    assert advise_step(FILM, drive).drive_field == pytest.approx(0.5 + 0.049366 + 0.2964, rel=1e-5)
    assert advise_step(FILM).drive_field == 0.0
    assert advise_step(FILM, drive).recommended <= advise_step(FILM).recommended


def test_thermal_rotation_grows_in_partly_filled_cells() -> None:
    fill = torch.ones(32, 8)
    fill[0, 0] = 0.25
    whole, cut = (advise_step(film, temperature=300.0) for film in (FILM, Film(FILM.grid, FILM.material, fill)))
    assert cut.thermal_rotation == pytest.approx(2 * whole.thermal_rotation, rel=1e-9)
    assert advise_step(FILM).thermal_rotation == 0.0
    assert whole.dt == cut.dt


def test_verdicts() -> None:
    advice = advise_step(FILM)

    def judged(factor: float) -> StepAdvice:
        return advise_step(FILM, dt=factor * advice.stable)

    hot, unstable = judged(0.8), judged(1.01)
    assert hot.stable == advice.stable
    assert "is stable (limit" in hot.verdict
    assert f"{100 * hot.heating:.0f} % too hot: {advice.recommended:g} s is recommended" in hot.verdict
    assert f"is unstable (limit {advice.stable:.3g} s): use {advice.recommended:g} s" in unstable.verdict
    assert "the step is too long for this cell and material" in unstable.likely_cause()
    assert advise_step(FILM, dt=10 * advice.stable).heating == math.inf
    strong = advise_step(FILM, Drive(field_z=50.0), dt=1e-14)
    fast = StepAdvice(1e-14, strong.stiffest_field, 300.0, 0.9, 0.0)
    assert "the drive reaches 300 T, too much for dt = 1e-14 s" in fast.likely_cause()
    wild = StepAdvice(1e-14, 10.0, 0.0, 0.1, thermal_rotation=0.5)
    assert "thermal noise turns a cell by 0.5 rad a step; reduce dt = 1e-14 s" in wild.likely_cause()
    assert "try half of it, and float64" in StepAdvice(1e-14, 10.0, 0.0, 0.1, 0.0).likely_cause()
    for text in (advice.verdict, hot.verdict, unstable.verdict, wild.likely_cause()):
        assert len(text.splitlines()) == 1


@pytest.mark.parametrize("dt", [0.0, -1e-14, math.nan, math.inf])
def test_impossible_step_is_refused(dt: float) -> None:
    with pytest.raises(InputError, match=f"^dt = {dt}: must be a positive time in s$"):
        advise_step(FILM, dt=dt)


def test_recommended_step_suits_the_least_filled_cell() -> None:
    """Where noise, not precession, sets the limit: strong damping and a cell filled to a tenth."""
    fill = torch.ones(16, 8)
    fill[:, 0] = 0.1
    grid = Grid(16, 8, 2.5e-9, 2.5e-9, 0.6e-9)
    cold, hot = (advise_step(Film(grid, material("cobalt-platinum"), fill), temperature=t) for t in (0.0, 300.0))
    assert hot.recommended < 0.5 * cold.recommended
    assert 0.19 < hot.thermal_rotation <= 0.2
    longer = advise_step(Film(grid, material("cobalt-platinum"), fill), temperature=300.0, dt=2 * hot.dt)
    assert longer.recommended == hot.recommended
    assert f"lets noise turn the least filled cell by {longer.thermal_rotation:.2g} rad a step" in longer.verdict
