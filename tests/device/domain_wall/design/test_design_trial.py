"""Many candidates in one run of the compact model: each gets its own film, pulses and voltages, and no other's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.design import DesignSpace, Ranges, Trial, Weights, trials
from barkhausen.device.domain_wall.design.trial import places_of, reset_position_of
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.micromagnetics import Film

pytestmark = pytest.mark.usefixtures("one_thread")

COMPACT = CompactParameters(pinning_factor=0.72, neel_cost=1.0, edge_cost=0.0, twist_factor=1.0)
"""Stated in full: the tests are about the run, not about how well the model is calibrated."""

PER_VOLT = -1.482e5
TABLES: dict[str, Any] = {
    "track": {"length": 320e-9, "width": 64e-9},
    "shape": {"roughness": {"rms": 0.5e-9}, "end_stops": {"length": 40e-9, "anisotropy": 3e5}},
    "material": {
        "preset": "cofeb-tantalum",
        "dmi": 0.24e-3,
        "spin_hall_angle": 0.3,
        "damping": 0.05,
        "anisotropy": 8.6e5,
    },
    "protocol": {"edge_time": 0.1e-9},
}


def found_by_hand(reset: float = 1.3) -> DeviceParameters:
    """Five notches at which five voltages stop the wall."""
    notches = [
        {"position": place * 1e-9, "depth": depth * 1e-9, "half_length": 20.3e-9}
        for place, depth in ((80, 12.1), (124, 17.5), (168, 21.7), (212, 23.9), (256, 16))
    ]
    voltages = [1e5 * change / PER_VOLT for change in (1.55, 0.23, -0.80, -1.14, -1.55)]
    protocol = {
        "program": {"current_density": 3.5e11, "width": 4.3e-9},
        "reset": {"current_density": reset * 3.5e11, "width": 4.3e-9},
        "gate_voltages": voltages,
        "reset_voltage": voltages[-1],
    }
    return DeviceParameters.model_validate(
        TABLES
        | {"shape": TABLES["shape"] | {"notches": notches}, "protocol": TABLES["protocol"] | protocol}
    )  # fmt: skip


def run(candidates: list[DeviceParameters], **changes: Any) -> list[Trial]:
    how = {"devices": 2, "cycles": 1, "seed": 0, "temperature": 0.0, "compact": COMPACT}
    return trials(candidates, **(how | changes))


def short(states: int = 2, family: str = "gradient") -> DesignSpace:
    """Devices whose events take little time."""
    base = DeviceParameters.model_validate(
        TABLES
        | {"track": {"length": 192e-9, "width": 64e-9}}
        | {"protocol": {"settle": 0.2e-9, "relaxation": 0.3e-9, "edge_time": 0.1e-9}}
    )
    ranges = {
        "pulse_width": (0.6e-9, 1.4e-9),
        "anisotropy_gradient": (-1e12, 1e12),
        "notch_half_length": (10e-9, 20e-9),
    }
    return DesignSpace(base, states, family, Ranges.model_validate(ranges))  # type: ignore[arg-type]


def test_walls_stop_at_the_notches_that_were_found_by_hand() -> None:
    device = found_by_hand()
    (trial,) = run([device], devices=24, cycles=2, temperature=300.0)
    score, states = trial.assess(device, Weights())
    assert trial.positions.shape == (5, 24, 2)
    assert np.abs(np.median(trial.positions, axis=(1, 2)) - places_of(device)).max() < 6e-9
    # By hand: 0, 0, 0, 0.08 and 0.17 of the walls of each state stop elsewhere.
    assert score.misplaced < 0.12
    assert max(states.misplaced) < 0.25
    assert score.overlap < 0.06
    assert score.failures == 0
    assert score.not_home < 0.1
    track = device.track
    event = ProgrammingEvent(device.protocol, device.protocol.gate_voltages or ())
    gate = event.gate_energy(track, device.gate, device.junction)
    assert score.energy == pytest.approx((event.sot_energy(track) + gate).mean())


def test_a_reset_too_weak_does_not_come_home() -> None:
    weak, strong = found_by_hand(reset=0.2), found_by_hand()
    shares = [
        trial.assess(device, Weights())[0].not_home
        for device, trial in zip((weak, strong), run([weak, strong], devices=4, temperature=300.0), strict=True)
    ]
    assert shares[0] == 1
    assert shares[1] < 0.5


def test_company_does_not_matter_without_noise() -> None:
    space = short()
    devices = [space.decode(point) for point in space.first_generation(8, seed=0)[:4]]
    together = run(devices)
    resting = np.array([trial.positions for trial in together])
    assert np.isfinite(resting).all()
    # Different they are, so that a mix-up would be seen.
    assert np.ptp(resting, axis=0).min() > 1e-9
    for device, trial in zip(devices, together, strict=True):
        (alone,) = run([device])
        # Energies are tabulated between the extreme voltages of a run, and linear in between.
        assert np.abs(trial.positions - alone.positions).max() < 0.5e-9
        assert np.abs(trial.after_reset - alone.after_reset).max() < 0.5e-9


def test_programming_is_that_of_the_whole_event() -> None:
    space = short()
    device = space.decode(space.first_generation(8, seed=0)[2])
    # Without a reset worth the name the wall of the whole event is at home when the gate rises, as it is in a trial;
    # and it has time to come to rest.
    still = device.protocol.reset.model_copy(update={"current_density": 1.0})
    protocol = device.protocol.model_copy(update={"reset": still, "reset_voltage": 0.0, "relaxation": 3e-9})
    device = device.model_copy(update={"protocol": protocol})
    (trial,) = run([device])
    film = device.film(devices=2, seed=0)
    fill = device.shape.outline(device.track).coverage(film.grid, 2, 0)
    model = CompactModel(Film(film.grid, film.material, fill, film.anisotropy).assign([0, 1, 0, 1]), COMPACT)
    event = ProgrammingEvent(protocol, np.repeat(protocol.gate_voltages or (), 2).tolist())
    whole = model.simulate(
        event.drive(device.gate.on(device.track)),
        duration=0.1e-9 * round(event.duration / 0.1e-9),
        every=0.1e-9,
        replicas=4,
        position=reset_position_of(device),
        temperature=0.0,
        dt=4e-12,
    )["wall_position"].values
    reading = whole[-11:].mean(axis=0).reshape(2, 2)
    assert np.abs(trial.positions[:, :, 0] - reading).max() < 1.5e-9
    # Far from home, so that it was programmed at all.
    assert reading.min() > reset_position_of(device) + 40e-9


def test_seed_decides() -> None:
    space = short(family="rough")
    device = space.decode(space.bounds.mean(axis=1))
    first, again, other = (run([device], temperature=300.0, seed=seed)[0].positions for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).all()


def test_candidates_have_the_same_edges() -> None:
    space = short(family="rough")
    device = space.decode(space.bounds.mean(axis=1))
    one, other = run([device, device], devices=3)
    assert (one.positions == other.positions).all()
    assert (one.positions[:, 0] != one.positions[:, 1]).all()


def test_grains_are_felt() -> None:
    space = short(family="rough")
    device = space.decode(space.bounds.mean(axis=1))
    shape = device.shape.model_copy(update={"grains": device.shape.grains.model_copy(update={"spread": 0.05})})
    grainy = device.model_copy(update={"shape": shape})
    assert (run([device])[0].positions != run([grainy])[0].positions).all()


def test_places_are_notches_or_the_middles_of_equal_stretches() -> None:
    assert places_of(found_by_hand()) == pytest.approx(np.array([80, 124, 168, 212, 256]) * 1e-9)
    space = short(family="rough", states=4)
    middles = 40e-9 + np.array([14, 42, 70, 98]) * 1e-9
    assert places_of(space.decode(space.bounds.mean(axis=1))) == pytest.approx(middles)


def test_candidates_of_different_tracks_are_refused() -> None:
    one, other = short(family="rough"), found_by_hand()
    with pytest.raises(InputError, match="one size and roughness"):
        run([one.decode(one.bounds.mean(axis=1)), other])
