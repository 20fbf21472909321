"""The design space: bounds, and a vector decoded to the device that it stands for."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters
from barkhausen.device.domain_wall.design import FAMILIES, DesignSpace, Family, Ranges

BASE = DeviceParameters.model_validate(
    {
        "track": {"length": 320e-9, "width": 64e-9},
        "shape": {"roughness": {"rms": 0.5e-9}, "end_stops": {"length": 40e-9}},
        "protocol": {"edge_time": 1e-10},
    }
)


def space_of(family: Family, states: int = 5, base: DeviceParameters = BASE, **ranges: object) -> DesignSpace:
    return DesignSpace(base, states, family, Ranges.model_validate(ranges))


def middle(space: DesignSpace) -> np.ndarray:
    return space.bounds.mean(axis=1)


@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("rough", []),
        ("equal-notches", ["notch_depth", "notch_half_length"]),
        ("graded-notches", [*(f"notch_depth_{k}" for k in range(4)), "notch_half_length"]),
        ("gradient", ["notch_depth", "notch_half_length", "anisotropy_gradient"]),
    ],
)
def test_each_family_has_its_variables(family: Family, more: list[str]) -> None:
    space = space_of(family)
    voltages = [f"gate_voltage_{k}" for k in range(5)]
    assert list(space.names) == [*voltages, "current_density", "pulse_width", "reset_factor", *more]
    assert space.bounds.shape == (len(space.names), 2)
    assert space.bounds[0].tolist() == list(Ranges().gate_voltage)
    assert space.bounds[5].tolist() == list(Ranges().current_density)


def test_vector_becomes_pulses_and_voltages() -> None:
    device = space_of("rough").decode([0.4, -1.0, 0.1, 0.9, -0.3, 3e11, 4e-9, 1.25])
    protocol = device.protocol
    assert protocol.gate_voltages == (-1.0, -0.3, 0.1, 0.4, 0.9)
    assert (protocol.program.current_density, protocol.program.width) == (3e11, 4e-9)
    assert (protocol.reset.current_density, protocol.reset.width) == (1.25 * 3e11, 4e-9)
    # The gate lowers Ku with rising voltage: the wall moves most easily at the highest.
    assert protocol.reset_voltage == 0.9
    assert protocol.edge_time == BASE.protocol.edge_time
    assert device.shape.notches == ()
    assert device.track == BASE.track


def test_voltages_fall_where_the_gate_raises_the_anisotropy() -> None:
    base = BASE.model_copy(update={"gate": BASE.gate.model_copy(update={"magnetostriction": -260e-6})})
    protocol = space_of("rough", base=base).decode([0.4, -1.0, 0.1, 0.9, -0.3, 3e11, 4e-9, 1.25]).protocol
    assert protocol.gate_voltages == (0.9, 0.4, 0.1, -0.3, -1.0)
    assert protocol.reset_voltage == -1.0


@pytest.mark.parametrize("family", FAMILIES)
def test_order_of_the_voltages_does_not_matter(family: Family) -> None:
    space = space_of(family)
    vector = space.first_generation(8, seed=3)[0]
    shuffled = vector.copy()
    shuffled[:5] = vector[[3, 0, 4, 1, 2]]
    assert space.decode(shuffled) == space.decode(vector)
    assert space.in_order(shuffled).tolist() == vector.tolist()


@pytest.mark.parametrize("states", [2, 5, 8])
def test_notches_stand_evenly_between_the_stops(states: int) -> None:
    space = space_of("equal-notches", states, notch_half_length=(10e-9, 14e-9))
    vector = middle(space)
    notches = space.decode(vector).shape.notches
    half = vector[space.names.index("notch_half_length")]
    assert len(notches) == states
    assert {notch.depth for notch in notches} == {vector[space.names.index("notch_depth")]}
    gaps = [after.position - before.position for before, after in pairwise(notches)]
    assert gaps == pytest.approx([gaps[0]] * (states - 1), rel=1e-9)
    assert notches[0].position - 40e-9 == pytest.approx(gaps[0], rel=1e-9)
    assert notches[-1].position + half == pytest.approx(280e-9, rel=1e-9)
    assert min(gaps) >= 2 * half


def test_graded_notches_have_depths_of_their_own() -> None:
    space = space_of("graded-notches", notch_depth=(8e-9, 26e-9))
    vector = middle(space)
    depths = [9e-9, 13e-9, 21e-9, 25e-9]
    vector[8:12] = depths
    # The last notch is as deep as the middle of the range.
    assert [notch.depth for notch in space.decode(vector).shape.notches] == pytest.approx([*depths, 17e-9])


def test_gradient_leaves_the_middle_of_the_track_alone() -> None:
    space = space_of("gradient")
    vector = middle(space)
    vector[-1] = 1.5e11
    device = space.decode(vector)
    assert device.shape.anisotropy_gradient == 1.5e11
    anisotropy = device.film_at(300.0, devices=1).anisotropy
    assert anisotropy is not None
    along = anisotropy[0, :, 8].numpy()
    assert 0.5 * (along[39] + along[40]) == pytest.approx(BASE.material.anisotropy, rel=1e-6)
    assert (along[60] - along[20]) / (40 * 4e-9) == pytest.approx(1.5e11, rel=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_first_generation_is_within_bounds_and_in_order(family: Family) -> None:
    space = space_of(family)
    points = space.first_generation(16, seed=1)
    low, high = space.bounds.T
    assert points.shape == (16, len(low))
    assert ((points >= low) & (points <= high)).all()
    assert (np.diff(points[:, :5]) >= 0).all()
    depths = [k for k, name in enumerate(space.names) if name.startswith("notch_depth_")]
    assert (np.diff(points[:, depths]) >= 0).all()
    # Evenly filled: as many points in the lower half of each range as in the upper.
    assert ((points[:, 5:8] < space.bounds[5:8].mean(axis=1)).sum(axis=0) == 8).all()
    assert (space.first_generation(16, seed=1) == points).all()
    assert (space.first_generation(16, seed=2) != points).any()


@pytest.mark.parametrize("family", FAMILIES)
def test_design_survives_being_written_out(family: Family) -> None:
    space = space_of(family)
    device = space.decode(space.first_generation(8, seed=0)[5])
    assert DeviceParameters.model_validate(device.model_dump(mode="json")) == device


def test_what_no_device_can_be_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"search\.ranges\.notch_half_length = 3e-08: 5 notches fit .* up to 2\.182e-08"
    ):
        space_of("gradient", notch_half_length=(16e-9, 30e-9))
    with pytest.raises(InputError, match=r"search\.ranges\.notch_depth = 3\.2e-08: must be less than 3\.1e-08 m"):
        space_of("equal-notches", notch_depth=(8e-9, 32e-9))
    # Where there are no notches, their ranges do not matter.
    assert space_of("rough", notch_depth=(8e-9, 32e-9)).decode(middle(space_of("rough"))).shape.notches == ()
    dead = BASE.model_copy(update={"gate": BASE.gate.model_copy(update={"transfer": 0.0})})
    with pytest.raises(InputError, match=r"device\.gate: does not change the anisotropy"):
        space_of("rough", base=dead)
    with pytest.raises(InputError, match="a rough design has 8 variables, not 7"):
        space_of("rough").decode([0.0] * 7)
    short = BASE.model_copy(update={"track": BASE.track.model_copy(update={"length": 80e-9})})
    with pytest.raises(InputError, match=r"end_stops\.length = 4e-08: two of them leave nothing"):
        space_of("rough", base=short)


@pytest.mark.parametrize(
    ("ranges", "message"),
    [
        ({"pulse_width": (5e-9, 4e-9)}, "first number must not be greater"),
        ({"notch_depth": (0.0, 4e-9)}, "must be positive"),
        ({"reset_factor": (1.0, float("inf"))}, "finite"),
    ],
)
def test_ranges_are_checked(ranges: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Ranges.model_validate(ranges)
