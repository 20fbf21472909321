"""The splitting: order, conservation, exact single spins, one physics with Heun's method and in both backends."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics import (
    CompiledSplitting,
    Demag,
    DormandPrince,
    Drive,
    Exchange,
    Film,
    Grid,
    Heun,
    Material,
    ParameterMaps,
    SpinOrbitTorque,
    Splitting,
    State,
    System,
    Term,
    UniaxialAnisotropy,
    Waveform,
    Zeeman,
    advise_splitting_step,
    advise_step,
    compiled,
    domain_wall,
    material,
    simulate,
    uniform,
)
from barkhausen.micromagnetics.integrators.local_fields import even_cells, why_not_split

needs_kernel = pytest.mark.skipif(not compiled.available(), reason=compiled.unavailable_reason() or "")

pytestmark = pytest.mark.usefixtures("one_thread")

CELLS = (12, 7)

SPIN = Material(saturation_magnetisation=1e6, exchange_stiffness=1e-11, damping=0.3)


def film(*, maps: ParameterMaps | None = None, **changes: float) -> Film:
    """Oblong cells, rough filled fractions and anisotropy, shapes of cut cells: every term has something to do."""
    generator = torch.Generator().manual_seed(1)
    constants = {"field_like_ratio": 0.3} | changes
    fill = torch.ones(1, *CELLS, dtype=torch.float64)
    fill[:, 3:6, 0], fill[:, 8, 6] = 0.4, 0.0
    anisotropy = 0.8e6 * (1 + 0.1 * torch.rand(1, *CELLS, dtype=torch.float64, generator=generator))
    edges = 0.02 * torch.rand(1, 3, *CELLS, dtype=torch.float64, generator=generator)
    stuff = material("cofeb-tantalum", **constants)
    return Film(Grid(*CELLS, 4e-9, 5e-9, 1e-9), stuff, fill, anisotropy, edge_demag=edges, maps=maps)


DRIVE = Drive(current_density=Waveform([0.0, 4e-12, 8e-12], [0.0, 3e11, 1e11]), field_z=0.02)


def end(kind: type[Splitting | CompiledSplitting | Heun], dt: float, system: System, duration: float) -> Tensor:
    stepper = kind(system, domain_wall(system.film).to(system.dtype), dt=dt)
    stepper.advance(0.0, duration)
    return stepper.m.double()


def test_second_order_without_noise() -> None:
    """All standard terms, a wall in motion: against Heun's method at a fine step."""
    system = System(film(), DRIVE)
    exact = end(Heun, 2e-14, system, 8e-12)
    errors = [float((end(Splitting, dt, system, 8e-12) - exact).norm()) for dt in (2e-13, 1e-13)]
    assert float((exact - domain_wall(system.film)).abs().max()) > 0.1
    assert errors[1] < 4e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.1)


def test_maps_and_oblique_axes_follow_heun() -> None:
    """Terms are asked for their own fields, so that what differs from cell to cell needs no code here."""
    generator = torch.Generator().manual_seed(2)

    def spread(low: float, high: float, *more: int) -> Tensor:
        return low + (high - low) * torch.rand(1, *more, *CELLS, dtype=torch.float64, generator=generator)

    maps = ParameterMaps(
        saturation_magnetisation=spread(8e5, 1.1e6), exchange_stiffness=spread(1e-11, 1.5e-11), dmi=spread(0.0, 1e-3),
        damping=spread(0.05, 0.2), current=spread(-1.0, 1.0, 2), easy_axis=spread(-1.0, 1.0, 3),
        bond_x=spread(0.5, 1.0), frozen=spread(0.0, 1.0) < 0.05,
    )  # fmt: skip
    system = System(film(maps=maps), DRIVE)
    exact = end(Heun, 2e-14, system, 4e-12)
    errors = [float((end(Splitting, dt, system, 4e-12) - exact).norm()) for dt in (2e-13, 1e-13)]
    assert errors[1] < 4e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)
    assert maps.frozen is not None
    still = maps.frozen & (system.film.filled if system.film.filled is not None else True)
    moved = end(Splitting, 2e-13, system, 4e-12) - system.start(domain_wall(system.film))
    assert not (moved * still[:, None]).any()


@needs_kernel
def test_the_kernel_follows_torch_to_rounding() -> None:
    single = System(film(), DRIVE, dtype=torch.float32)
    kernel = end(CompiledSplitting, 4e-13, single, 16e-12)
    torch64 = end(Splitting, 4e-13, System(film(), DRIVE), 16e-12)
    assert float((kernel - torch64).abs().max()) < 3e-6


def test_energy_does_not_drift_without_damping() -> None:
    """Heun's method gains energy at any step; the splitting's oscillates: exchange alone keeps it to rounding."""
    grid = Grid(10, 8, 4e-9, 4e-9, 1e-9)
    free = material("cofeb-tantalum", damping=0.0, spin_hall_angle=0.0, dmi=0.0)
    start = torch.nn.functional.normalize(
        torch.randn(1, 3, 10, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)), dim=1
    )
    exchange = System(Film(grid, free), terms=(Exchange(),))
    stepper = Splitting(exchange, start, dt=1e-12)
    stepper.advance(0.0, 200e-12)
    energy = float(exchange.energy(start))
    assert float((stepper.m - start).abs().max()) > 0.5
    assert float(exchange.energy(stepper.m)) == pytest.approx(energy, rel=1e-12)
    everything = System(Film(grid, free))
    advice = advise_splitting_step(everything.film)
    stepper = Splitting(everything, start, dt=advice.recommended)
    energies = []
    for k in range(12):
        stepper.advance(k * 40 * stepper.dt, (k + 1) * 40 * stepper.dt)
        energies.append(float(everything.energy(stepper.m)))
    early, late = sum(energies[:4]) / 4, sum(energies[-4:]) / 4
    assert late == pytest.approx(early, rel=0.01)


def test_a_single_spin_precesses_and_relaxes_as_it_must() -> None:
    """In a field along z: phi = gamma B t/(1 + alpha²), tan(theta/2) decays with alpha gamma B/(1 + alpha²)."""
    spin = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), SPIN.model_copy(update={"damping": 0.1}))
    system = System(spin, Drive(field_z=0.5), terms=(Zeeman(),))
    m = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)[None, :, None, None]
    stepper, duration = Splitting(system, m, dt=1e-12), 40e-12
    stepper.advance(0.0, duration)
    rate = GYROMAGNETIC_RATIO * 0.5 / 1.01 * duration
    x, y, z = stepper.m.flatten().tolist()
    assert math.atan2(y, x) == pytest.approx(math.remainder(rate, 2 * math.pi), abs=1e-9)
    assert math.tan(math.acos(z) / 2) == pytest.approx(math.exp(-0.1 * rate), rel=2e-5)


def test_a_spin_is_switched_by_torque_as_it_must() -> None:
    """Damping-like torque of spins along z, above the threshold of the anisotropy: through the equator and over."""
    spin = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), material("cofeb-tantalum"))
    drive = Drive(current_density=9e12, field_x=0.02)
    terms = (UniaxialAnisotropy(), Demag(), Zeeman(), SpinOrbitTorque(polarisation=(0.0, 0.0, -1.0)))
    system = System(spin, drive, terms)
    start = uniform(spin, (0.1, 0.0, 1.0))
    exact = DormandPrince(system, start, tolerance=1e-9)
    exact.advance(0.0, 60e-12)
    assert float(exact.m[0, 2]) < -0.5
    errors = []
    for dt in (4e-13, 2e-13):
        stepper = Splitting(system, start, dt=dt)
        stepper.advance(0.0, 60e-12)
        errors.append(float((stepper.m - exact.m).norm()))
    assert errors[0] < 3e-4
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)


@pytest.mark.parametrize("backend", ["torch", pytest.param("compiled", marks=needs_kernel)])
def test_a_spin_at_a_temperature_samples_boltzmann(backend: str) -> None:
    """<m_z> = coth x − 1/x of a spin in a field, at the long step that is recommended."""
    spin = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), SPIN)
    field, replicas = 0.4, 512
    x = spin.moment * field / (1.380649e-23 * 300.0)
    result = simulate(
        spin, Drive(field_z=field), terms=(Zeeman(),), temperature=300.0, duration=0.2e-9, every=0.02e-9,
        replicas=replicas, seed=3, initial=uniform(spin, (0.0, 0.0, 1.0)), integrator="splitting", backend=backend,
    )  # fmt: skip
    mean = result["m"].sel(component="z").values[4:].mean(0)
    error = mean.std() / replicas**0.5
    assert error < 0.02
    assert abs(mean.mean() - (1 / math.tanh(x) - 1 / x)) < 4 * error


def test_zhang_li_is_extrapolated_in_torch() -> None:
    """Its slope reaches two cells far: of second order all the same, but Heun's method is taken where it is there."""
    spins = film(spin_polarisation=0.5, non_adiabaticity=0.1)
    system = System(spins, Drive(magnet_current_density=2e12))
    exact = end(Heun, 2e-14, system, 4e-12)
    errors = [float((end(Splitting, dt, system, 4e-12) - exact).norm()) for dt in (2e-13, 1e-13)]
    assert errors[1] < 4e-3
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.15)
    assert why_not_split(system.terms, spins) is not None
    if compiled.available():
        with pytest.raises(InputError, match="its splitting does not know the term ZhangLi"):
            CompiledSplitting(System(spins, dtype=torch.float32), domain_wall(spins), dt=1e-13)


class Slow(Term):
    """A term that the package does not know: a field along x that follows m_z."""

    def add_field(self, out: Tensor, state: State) -> None:
        """Add the field."""
        out[:, 0] += 0.05 * state.m[:, 2] * state.inputs.field[2][:, None, None] / 0.02


def test_unknown_terms_are_extrapolated_and_not_chosen_by_themselves() -> None:
    unknown = (Exchange(), UniaxialAnisotropy(), Slow())
    drive = Drive(field_z=Waveform([0.0, 8e-12], [0.0, 0.02]))
    system = System(film(), drive, unknown)
    exact = end(Heun, 2e-14, system, 8e-12)
    errors = [float((end(Splitting, dt, system, 8e-12) - exact).norm()) for dt in (2e-13, 1e-13)]
    assert errors[0] / errors[1] == pytest.approx(4.0, rel=0.2)
    assert why_not_split(unknown, system.film) == (
        "the splitting would extrapolate the field of Slow, which may be stiff"
    )
    result = simulate(system.film, terms=unknown, temperature=300.0, duration=1e-12, every=1e-12)
    assert result.attrs["integrator"] == "heun"


def test_the_choice_by_itself() -> None:
    def chosen(**changes: object) -> str:
        made = simulate(film(), DRIVE, duration=1e-12, every=1e-12, **changes)  # type: ignore[arg-type]
        return str(made.attrs["integrator"])

    assert chosen(temperature=300.0) == "splitting"
    assert chosen() == "heun"
    assert chosen(temperature=300.0, integrator="heun") == "heun"
    undamped = simulate(film(damping=0.0), duration=1e-12, every=1e-12)
    assert undamped.attrs["integrator"] == "splitting"


def test_a_periodic_film_of_odd_cells_has_no_checkerboard() -> None:
    odd = Film(Grid(5, 4, 4e-9, 4e-9, 1e-9, periodic=(True, False)), material("cofeb-tantalum"))
    assert why_not_split((Exchange(),), odd) is not None
    with pytest.raises(InputError, match=r"^integrator = 'splitting': the splitting needs an even number of cells"):
        Splitting(System(odd, terms=(Exchange(),)), uniform(odd, (0.0, 0.0, 1.0)), dt=1e-13)
    even = even_cells(odd.grid)
    assert even[0, 0]
    assert not (even[1:] & even[:-1]).any()


def test_advice_grows_with_the_step_that_heun_cannot_take() -> None:
    long, short = advise_splitting_step(film(), DRIVE, temperature=300.0), advise_step(film(), DRIVE, temperature=300.0)
    assert long.dt == long.recommended > 4 * short.recommended
    assert long.recommended < long.stable
    assert "is fine" in long.verdict
    assert "does not follow the film" in advise_splitting_step(film(), dt=5e-12).verdict
    assert "not accurate" in advise_splitting_step(film(), dt=1.1 * long.recommended).verdict
    assert advise_splitting_step(film(damping=0.0)).recommended > 1e-13
    # A film held by its anisotropy alone: a twentieth of a turn or so, whatever the damping.
    soft = Film(Grid(1, 1, 4e-9, 4e-9, 1e-9), SPIN.model_copy(update={"anisotropy": 1e5}))
    spin = advise_splitting_step(soft, terms=(UniaxialAnisotropy(),))
    assert GYROMAGNETIC_RATIO * 0.2 * spin.dt < 0.28


@needs_kernel
def test_a_step_too_long_is_named_with_its_turn() -> None:
    system = System(film(), dtype=torch.float32)
    advice = advise_splitting_step(system.film, dt=8e-12)
    stepper = CompiledSplitting(system, domain_wall(system.film), dt=8e-12, advice=advice)
    with pytest.raises(
        Exception, match=r"^replica 0 at t = 0 s: a cell turned by .* rad in one step .*does not follow"
    ):
        stepper.advance(0.0, 80e-12)


@pytest.mark.parametrize("backend", ["torch", pytest.param("compiled", marks=needs_kernel)])
def test_films_are_as_stiff_as_they_are(backend: str) -> None:
    """sin(angle) = B/B_K of a film at rest in a field across its axis, and the tilt by a torque, at the longest step.

    Without a weight of the easy axes the first is some 2.5 % too small, with that weight alone the second as much too
    large.
    """
    stuff = Material(
        saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.2e6, spin_hall_angle=0.3
    )
    whole = Film(Grid(6, 6, 4e-9, 4e-9, 1e-9), stuff)
    field = 2 * stuff.anisotropy / stuff.saturation_magnetisation
    dt = advise_splitting_step(whole, terms=(Exchange(), UniaxialAnisotropy())).recommended

    def tilt(steps: int, dt: float, **drive: float) -> float:
        only = (Exchange(), UniaxialAnisotropy(), *((Zeeman(),) if "field_x" in drive else (SpinOrbitTorque(),)))
        result = simulate(
            whole, Drive(**drive), terms=only, duration=steps * dt, every=steps * dt, dt=dt, integrator="splitting",
            initial=uniform(whole, (0.1, 0.0, 1.0)), backend=backend, temperature=0.0,
        )  # fmt: skip
        x, y, _ = result["m"].values[-1, 0].tolist()
        return math.hypot(x, y)

    assert tilt(600, dt, field_x=0.1 * field) == pytest.approx(0.1, rel=2e-3)
    torque = {"current_density": 2e11}
    assert tilt(600, dt, **torque) == pytest.approx(tilt(2400, dt / 4, **torque), rel=5e-3)


@pytest.mark.parametrize("damping", [0.05, pytest.param(0.3, marks=needs_kernel)])
def test_long_waves_have_the_temperature_of_the_bath(damping: float) -> None:
    """<M_x²> = <M_z> kT/(V Ms B) of the mean moment of a film of exchange in a field, exactly (rotations of all spins).

    With all noise of the even cells after their turns it was 8 % too small with damping 0.3.
    """
    stuff = Material(saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=damping)
    whole, field, replicas = Film(Grid(8, 8, 4e-9, 4e-9, 1e-9), stuff), 2.0, 128 if damping > 0.1 else 32
    result = simulate(
        whole, Drive(field_z=field), terms=(Exchange(), Zeeman()), temperature=300.0, duration=1.0e-9, every=5e-12,
        replicas=replicas, seed=2, initial=uniform(whole, (0.0, 0.0, 1.0)), integrator="splitting",
        backend="compiled" if compiled.available() else "torch",
    )  # fmt: skip
    x, y, z = result["m"].values[40:].transpose(2, 0, 1)
    expected = z.mean() * 1.380649e-23 * 300.0 / (64 * whole.moment * field)
    ratios = (x * x + y * y).mean(0) / 2 / expected
    error = ratios.std(ddof=1) / replicas**0.5
    assert error < (0.02 if replicas > 64 else 0.08)
    assert abs(ratios.mean() - 1) < 4 * error
