"""The compact model against closed forms: its motion and its heat."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicSpline
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN, ELEMENTARY_CHARGE, GYROMAGNETIC_RATIO, REDUCED_PLANCK, VACUUM_PERMEABILITY
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.micromagnetics import Drive, Film, Grid, Material, Notch, StrainGate, TrackOutline, Waveform, track_film

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

WIDTH, THICKNESS = 64e-9, 1e-9
COBALT = Material(
    saturation_magnetisation=1e6, exchange_stiffness=1.5e-11, damping=0.3, anisotropy=0.8e6, dmi=0.5e-3,
    spin_hall_angle=0.2,
)  # fmt: skip
PLAIN = CompactParameters(demag_factor=1.0, neel_cost=0.0, edge_cost=0.0, twist_factor=1.0)
FIELD_PER_CURRENT = REDUCED_PLANCK * 0.2 / (2 * ELEMENTARY_CHARGE * 1e6 * THICKNESS)
SIGMAS = 4.0
"""One in 16 000; the seeds are fixed."""


def strip(length: float = 512e-9, cell: float = 4e-9, material: Material = COBALT, **options: Any) -> Film:
    """A track one cell wide: the compact model sees the width of the track alone."""
    return Film(Grid(round(length / cell), 1, cell, WIDTH, THICKNESS), material, **options)


def well(curvature: float, material: Material = COBALT) -> Film:
    """A parabola of Ku (J/m⁵) about the middle of 128 nm."""
    film = strip(128e-9, 1e-9, material)
    hill = 0.5 * curvature * (film.grid.x - 64e-9) ** 2
    return Film(film.grid, material, anisotropy=(material.anisotropy + hill)[None, :, None])


def notched(material: Material = COBALT) -> Film:
    outline = TrackOutline(
        length=256e-9, width=WIDTH, notches=(Notch(position=128e-9, depth=16e-9, half_length=32e-9),)
    )
    return track_film(outline, material, cell=4e-9)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def within(values: Tensor | np.ndarray, expected: float) -> float:
    """How many standard errors the sample's variance is off ``expected`` (for a normal sample)."""
    values = np.asarray(values)
    return abs(float(values.var(ddof=1)) / expected - 1) / math.sqrt(2 / (values.size - 1))


# ---- motion at zero temperature -------------------------------------------------------------------------------------


def steady(material: Material, current: Tensor, parameters: CompactParameters = PLAIN) -> tuple[np.ndarray, np.ndarray]:
    """Velocity in m/s and angle after 8 ns of current; psi forgets its start in 1/(alpha gamma B_DMI), 0.3 ns."""
    result = CompactModel(strip(4e-6, 8e-9, material), parameters).simulate(
        Drive(current_density=current), duration=8e-9, every=1e-9, replicas=len(current), position=2e-6, dt=4e-12
    )
    q, psi = (result[name].values for name in ("wall_position", "wall_angle"))
    return (q[-1] - q[-2]) / 1e-9, psi[-1]


@pytest.mark.validation
def test_steady_velocity(report: Report) -> None:
    """v = gamma Delta (pi/2) B_DMI/sqrt(1 + (alpha B_DMI/B_DL)²) (Thiaville 2012), at most gamma pi D/(2 Ms)."""
    keff = COBALT.effective_anisotropy
    delta = math.sqrt(COBALT.exchange_stiffness / keff)
    dmi_field = COBALT.dmi / (COBALT.saturation_magnetisation * delta)
    ratio = torch.tensor([0.1, 0.5, 1.0, 3.0, 100.0, -1.0], dtype=torch.float64)
    current = ratio * COBALT.damping * dmi_field / FIELD_PER_CURRENT
    velocity, _ = steady(COBALT, current)
    largest = GYROMAGNETIC_RATIO * math.pi * COBALT.dmi / (2 * COBALT.saturation_magnetisation)
    expected = largest * np.sign(ratio.numpy()) / np.sqrt(1 + 1 / ratio.numpy() ** 2)
    report("compact wall by spin-orbit torque, 0.1 to 100 alpha B_DMI (m/s)", velocity, expected, 1e-6 * largest)
    reversed_dmi, _ = steady(COBALT.model_copy(update={"dmi": -COBALT.dmi}), current)
    assert reversed_dmi == pytest.approx(-velocity, rel=1e-9)


def test_steady_state_with_all_terms_balances_both_equations() -> None:
    """Néel cost, field-like torque and all factors: a fixed point of the equations as they are written."""
    material = COBALT.model_copy(update={"field_like_ratio": -0.4})
    p = CompactParameters(
        order=0.95, demag_factor=0.9, neel_cost=1.6, edge_cost=8.0, dmi_factor=0.9, damping_factor=1.2, drive_factor=0.8
    )
    current = torch.tensor([2e11, 8e11], dtype=torch.float64)
    velocity, angle = steady(material, current, p)
    magnetisation = 0.95 * 1e6
    keff = 0.95**3 * COBALT.anisotropy - 0.9 * 0.5 * VACUUM_PERMEABILITY * magnetisation**2
    delta = math.sqrt(0.95**2 * 1.5e-11 / keff)
    dmi = math.pi * 0.9 * 0.95**2 * 0.5e-3
    neel = (1.6 - 8.0 * delta / WIDTH) * VACUUM_PERMEABILITY * magnetisation**2 * THICKNESS * math.log(2) / math.pi
    field = 0.8 * math.pi / 2 * FIELD_PER_CURRENT * current.numpy()
    first = GYROMAGNETIC_RATIO * field * np.cos(angle) * delta / (1.2 * COBALT.damping)
    turn = (dmi * np.sin(angle) - neel * np.sin(2 * angle)) / (2 * magnetisation * delta)
    second = GYROMAGNETIC_RATIO * delta * (turn + 0.4 * field * np.cos(angle))
    assert velocity == pytest.approx(first, rel=1e-5)
    assert velocity == pytest.approx(second, rel=1e-5)


@pytest.mark.parametrize("twist", [1.0, 0.4])
def test_without_damping_and_current_energy_is_kept(twist: float) -> None:
    """Both gradients belong to one E(q, psi): released on the flank of a notch, where the width changes under it."""
    film = notched(COBALT.model_copy(update={"damping": 1e-9, "dmi": 0.2e-3}))
    model = CompactModel(film, CompactParameters(neel_cost=0.8, edge_cost=0.0, pinning_factor=0.7, twist_factor=twist))
    tables = model.energy()
    result = model.simulate(Drive(), duration=3e-9, replicas=1, position=140e-9, dt=0.5e-12, every=0.02e-9)
    q, psi = result["wall_position"].values[:, 0], result["wall_angle"].values[:, 0]
    assert np.ptp(q) > 20e-9
    assert np.ptp(psi) > 0.5
    energy, width = (CubicSpline(tables.places, t[0, 0])(q) for t in (tables.energy, tables.width))
    turned = tables.dmi * (1 - np.cos(psi)) - float(tables.neel) * np.sin(psi) ** 2
    total = energy + THICKNESS * (WIDTH + twist * (width - WIDTH)) * turned
    # Forces are interpolated between places 1 nm apart, and bend within Delta/2 = 5 nm: (1/5)²/8 = 5e-3 off at most.
    # Without the force of the width that changes under a turned wall it would be a tenth.
    assert np.ptp(total) < 5e-3 * np.ptp(energy)


@pytest.mark.slow
@pytest.mark.validation
def test_depinning_threshold_of_a_notch(report: Report) -> None:
    """At rest psi = 0, and the notch holds as long as pi Ms B_DL t W(q) < dU/dq somewhere on its flank.

    The wall is released in the notch into a current within 0.5 % of the threshold, switched on over 100 ns so that it
    follows; a hundredth of the threshold is then passed in 1 ns.
    """
    film = notched()
    model = CompactModel(film, CompactParameters(pinning_factor=0.9))
    tables = model.energy()
    slope = torch.diff(tables.energy[0, 0]) / 1e-9
    width = 0.5 * (tables.width[0, 0, 1:] + tables.width[0, 0, :-1])
    by_hand = float((slope / width).max()) / (math.pi * 1e6 * THICKNESS * FIELD_PER_CURRENT)
    share = torch.linspace(0.96, 1.04, 17, dtype=torch.float64)
    rise = Waveform(torch.tensor([0.0, 100e-9]), torch.stack((0 * share, by_hand * share)))
    result = model.simulate(
        Drive(current_density=rise), duration=120e-9, replicas=len(share), position=128e-9, dt=8e-12, every=1e-9
    )
    left = result["wall_position"].fillna(1.0).values[-1] > 170e-9
    found = float(share[int(left.argmax())])
    report("compact depinning current over static force balance", found, 1.0, 0.01)
    assert left[int(left.argmax()) :].all()


@pytest.mark.validation
def test_order_of_the_method(report: Report) -> None:
    """Heun is of second order in the step; in a parabola, where the tabulated force has no kinks."""
    model = CompactModel(well(1e20), PLAIN)
    drive = Drive(current_density=Waveform(torch.tensor([0.0, 1e-9]), torch.tensor([0.0, 3e11])))

    def final(dt: float) -> np.ndarray:
        result = model.simulate(drive, duration=1e-9, replicas=1, position=60e-9, dt=dt, every=1e-9)
        return np.array([result["wall_position"].values[-1, 0] / 1e-8, result["wall_angle"].values[-1, 0]])

    exact = final(0.25e-12)
    errors = [np.abs(final(dt) - exact).max() for dt in (16e-12, 8e-12)]
    report("order of the compact model's steps", math.log2(errors[0] / errors[1]), 2.0, 0.1)


# ---- heat -----------------------------------------------------------------------------------------------------------


@pytest.mark.validation
def test_equipartition_fixes_the_noise(report: Report) -> None:
    """In a parabola of Ku the variance of q is kB T/k, k = 2 Delta t w Ku'', and psi follows Boltzmann.

    A noise of the macrospin's variance would double both. The steps of 1 nm in Ku add the curvature of nothing: they
    change k by less than 1e-3.
    """
    curvature = 2e20
    model = CompactModel(well(curvature), CompactParameters(demag_factor=1.0, neel_cost=0.5, edge_cost=0.0))
    tables = model.energy()
    delta = float(tables.wall_width[0, 0])
    result = model.simulate(
        Drive(), duration=4e-9, every=1e-9, replicas=4000, position=64e-9, temperature=300.0, generator=seeded(1)
    )
    # The slower of the two relaxations, gamma alpha k Delta/(2 Ms t w), takes 0.5 ns.
    q, psi = (result[name].values[2:] for name in ("wall_position", "wall_angle"))
    heat = BOLTZMANN * 300.0
    stiffness = 2 * delta * THICKNESS * WIDTH * curvature
    angle = np.linspace(-math.pi, math.pi, 4001)
    turned = tables.dmi * (1 - np.cos(angle)) - float(tables.neel) * np.sin(angle) ** 2
    weight = np.exp(-THICKNESS * WIDTH * turned / heat)
    expected = float((weight * angle**2).sum() / weight.sum())
    fraction = SIGMAS * math.sqrt(2 / 4000)
    report("compact equipartition, variance of q (nm²)", 1e18 * q.var(1).mean(), 1e18 * heat / stiffness,
           1e18 * fraction * heat / stiffness)  # fmt: skip
    report("compact equipartition, variance of psi (rad²)", psi.var(1).mean(), expected, fraction * expected)


@pytest.mark.validation
def test_free_diffusion(report: Report) -> None:
    """alpha q/Delta + psi gains gamma² S t, S = alpha kB T/(gamma Ms Delta w t), whatever psi does; q in time 2 D t.

    D = gamma Delta kB T/(2 alpha Ms w t) is kB T over the friction 2 alpha Ms t w/(gamma Delta).
    """
    film = strip(2e-6, 8e-9)
    model = CompactModel(film, PLAIN)
    delta = float(model.energy().wall_width[0, 0])
    duration, replicas, heat = 4e-9, 4000, BOLTZMANN * 300.0
    result = model.simulate(
        Drive(), duration=duration, every=1e-9, replicas=replicas, position=1e-6, temperature=300.0, generator=seeded(2)
    )
    q, psi = (result[name].values for name in ("wall_position", "wall_angle"))
    sums = COBALT.damping * (q[-1] - 1e-6) / delta + psi[-1]
    moment = COBALT.saturation_magnetisation * WIDTH * THICKNESS
    expected = GYROMAGNETIC_RATIO * COBALT.damping * heat / (moment * delta) * duration
    assert within(sums, expected) < SIGMAS
    diffusion = GYROMAGNETIC_RATIO * delta * heat / (2 * COBALT.damping * moment)
    # From 1 to 4 ns, when psi has forgotten its start: 1/(alpha gamma B) is 0.1 ns.
    found = float(q[-1].var(ddof=1) - q[1].var(ddof=1)) / (2 * 3e-9)
    report("compact diffusion (nm²/ns)", 1e9 * found, 1e9 * diffusion,
           1e9 * diffusion * SIGMAS * math.sqrt(2 / replicas) * 4 / 3)  # fmt: skip


@pytest.mark.slow
def test_walls_spread_over_a_track_of_two_widths_as_boltzmann_says() -> None:
    """Density W(q) exp(−U/kB T) ∫ dpsi exp(−…): with noise in Stratonovich's sense the wide half would lose 1/sqrt(2).

    The wide half has the lower anisotropy, so that U is the same in both; hills keep the wall between 30 and 130 nm.
    """
    grid = Grid(160, 1, 1e-9, 32e-9, THICKNESS)
    x = grid.x
    wide = x > 80e-9
    fill = torch.where(wide, 1.0, 0.5)[None, :, None]
    material = COBALT.model_copy(update={"damping": 0.5, "dmi": 0.3e-3})
    keff, exchange = material.effective_anisotropy, material.exchange_stiffness
    delta = math.sqrt(exchange / keff)
    # 2 A/Delta + 2 Delta K − pi D of the wide half is half of that of the narrow one.
    narrow = 4 * exchange / delta - math.pi * material.dmi
    low = (0.5 * narrow + math.pi * material.dmi - 2 * exchange / delta) / (2 * delta)
    ku = material.anisotropy + torch.where(wide, low - keff, 0.0) + torch.where((x < 30e-9) | (x > 130e-9), 3e5, 0.0)
    film = Film(grid, material, fill, ku[None, :, None])
    tables = CompactModel(film, PLAIN).energy()
    heat = BOLTZMANN * 1000.0
    energy, width = tables.energy[0, 0].numpy(), tables.width[0, 0].numpy()
    angle = np.linspace(-math.pi, math.pi, 721)[:-1]
    twist = np.exp(-THICKNESS * width[:, None] * tables.dmi * (1 - np.cos(angle)) / heat).sum(1)
    density = width * np.exp(-(energy - energy.min()) / heat) * twist
    places = tables.places.numpy()
    expected = density[places > 80e-9].sum() / density.sum()
    stratonovich = density / np.sqrt(width)
    assert expected > 0.07 + stratonovich[places > 80e-9].sum() / stratonovich.sum()
    start = torch.linspace(35e-9, 125e-9, 3000, dtype=torch.float64)
    result = CompactModel(film, PLAIN).simulate(
        Drive(), duration=8e-9, every=4e-9, replicas=3000, position=start, temperature=1000.0, generator=seeded(3)
    )
    found = float((result["wall_position"].values[-1] > 80e-9).mean())
    assert found == pytest.approx(expected, abs=SIGMAS * math.sqrt(0.25 / 3000))


def test_gate_moves_the_replica_it_acts_on() -> None:
    """A lower anisotropy holds less: under the same current the wall is drawn further up the flank."""
    model, gate, volts = CompactModel(notched()), StrainGate(), (0.5, 0.0, -0.5)
    drive = Drive(current_density=2e11, gate_voltage=torch.tensor(volts), gate=gate)
    together = model.simulate(drive, duration=2e-9, replicas=3, position=128e-9)["wall_position"].values
    for k, voltage in enumerate(volts):
        alone = model.simulate(
            Drive(current_density=2e11, gate_voltage=voltage, gate=gate), duration=2e-9, replicas=1, position=128e-9
        )["wall_position"].values[:, 0]
        # Together the energy is interpolated over nine changes of Ku, 19 kJ/m³ apart, where Keff is 0.1 to 0.25 MJ/m³:
        # the square root in it is (19/100)²/64 = 6e-4 off at most.
        assert together[:, k] - 128e-9 == pytest.approx(alone - 128e-9, rel=5e-3, abs=1e-11)
    moved = together[-1] - 128e-9
    assert moved[0] > 1.1 * moved[1] > 1.1 * moved[2] > 1e-9


# ---- the arguments --------------------------------------------------------------------------------------------------


def test_generator_makes_it_reproducible() -> None:
    def run(seed: int) -> np.ndarray:
        result = CompactModel(strip()).simulate(
            Drive(), duration=0.2e-9, replicas=5, position=200e-9, temperature=300.0, generator=seeded(seed)
        )
        return np.asarray(result["wall_position"].values)

    assert (run(1) == run(1)).all()
    assert (run(1)[1:] != run(2)[1:]).all()


def test_replicas_are_the_devices_the_film_names() -> None:
    fill = torch.ones(2, 64, 1, dtype=torch.float64)
    fill[1, 24:40] = 0.7
    film = Film(Grid(64, 1, 4e-9, WIDTH, THICKNESS), COBALT, fill)
    result = CompactModel(film.assign([1, 0, 1])).simulate(Drive(), duration=1e-9, replicas=3, position=95e-9)
    q = result["wall_position"].values
    assert (q[:, 0] == q[:, 2]).all()
    np.testing.assert_allclose(q[:, 1], 95e-9, rtol=1e-9)
    assert q[-1, 0] > 96e-9
    assert result["wall_position"].attrs["units"] == "m"
    assert result["time"].values[-1] == pytest.approx(1e-9)


def test_wall_that_leaves_the_track_is_gone_for_good() -> None:
    # 115 m/s: the first is off after about a nanosecond, and stays off though the current turns.
    wave = Waveform(torch.tensor([0.0, 2e-9, 2e-9, 5e-9]), torch.tensor([2e12, 2e12, -2e12, -2e12]))
    result = CompactModel(strip(400e-9)).simulate(
        Drive(current_density=wave), duration=4e-9, replicas=3, position=torch.tensor([300e-9, 20e-9, 500e-9])
    )
    q = result["wall_position"].values
    lost = np.isnan(q[:, 0])
    assert lost.argmax() > 10
    assert lost[lost.argmax() :].all()
    assert np.isnan(result["wall_angle"].values[lost, 0]).all()
    assert not np.isnan(q[:, 1]).any()
    assert np.isnan(q[:, 2]).all()


WRONG_ARGUMENTS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"field_z": 1e-3}, {}, r"drive\.field_z: the compact model knows spin-orbit torque and gate voltage only"),
    ({"magnet_current_density": 1e11}, {}, r"drive\.magnet_current_density: the compact model"),
    (
        {"gate_voltage": 0.1, "gate": StrainGate(), "gate_profile": torch.ones(128, 1)},
        {},
        r"drive\.gate_profile: the compact model knows a uniform gate only",
    ),
    ({"current_density": torch.full((3,), 1e10)}, {}, r"drive\.current_density: given for 3 replicas, but there are 2"),
    ({}, {"position": torch.zeros(3)}, r"position: shape \(3,\) is not one place, or one for each of 2"),
    ({}, {"temperature": -1.0}, r"temperature = -1\.0: must be zero or positive"),
    ({}, {"duration": math.nan}, r"duration = nan: must be a positive time in s"),
    ({}, {"dt": 0.0}, r"dt = 0\.0: must be a positive time in s"),
    ({}, {"every": 0.3e-9}, r"every = 3e-10: the duration of 1e-09 s is not a whole number of records"),
]


def test_wrong_arguments_are_refused() -> None:
    for drive, changes, message in WRONG_ARGUMENTS:
        arguments: dict[str, Any] = {"duration": 1e-9, "replicas": 2, "position": 100e-9}
        with pytest.raises(InputError, match=message):
            CompactModel(strip()).simulate(Drive(**drive), **(arguments | changes))
