from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import (
    FORMAT_VERSION,
    CharacterisedDevice,
    DeviceParameters,
    EmpiricalStates,
    GaussianStates,
    domain_wall_device,
    gaussian_device,
)
from barkhausen.device.statistics.summary import describe_statistics
from barkhausen.device.statistics.variance import variance_components
from barkhausen.version import __version__

LENGTH = 512e-9
NAN = math.nan
# Two devices of three cycles, one missing; means 0.2, 0.4 and 0.9 of the track.
POSITIONS = LENGTH * np.array(
    [
        [[0.1, 0.2, 0.3], [0.2, 0.2, 0.2]],
        [[0.4, 0.4, NAN], [0.3, 0.5, 0.4]],
        [[0.9, 0.9, 0.9], [0.8, 0.9, 1.0]],
    ]
)


def device(positions: np.ndarray = POSITIONS, **arguments: Any) -> CharacterisedDevice:
    return domain_wall_device(positions, DeviceParameters(), **({"source": "measured"} | arguments))


def smallest() -> xr.Dataset:
    """What the format requires of a foreign file, and no more."""
    return xr.Dataset(
        {
            "state_value": (("state", "device", "cycle"), POSITIONS),
            "state_range": ("bound", [0.0, LENGTH]),
        },
        attrs={"format_version": FORMAT_VERSION, "technology": "made-up", "kind": "states", "source": "measured"},
    )


def test_file_of_required_variables_alone_is_a_whole_device() -> None:
    found = CharacterisedDevice(smallest())
    assert (found.states, found.source) == (3, "measured")
    assert found.moments[0] / LENGTH == pytest.approx([0.2, 0.4, 0.9])
    assert isinstance(found.distribution(), EmpiricalStates)
    assert found.energy_causes == {}
    assert found.energy("sot").tolist() == [0.0, 0.0, 0.0]
    assert found.assumed == ["the device file gives no energies: programming is counted as free"]


def test_positions_keep_their_places_and_missing_cycles_stay_missing() -> None:
    data = device().data
    assert data["state_value"].dims == ("state", "device", "cycle")
    np.testing.assert_array_equal(data["state_value"].values, POSITIONS)
    assert data["state_range"].values.tolist() == [0.0, LENGTH]


def test_moments_are_estimated_from_the_positions() -> None:
    mean, between, within = device().moments
    assert mean / LENGTH == pytest.approx([0.2, 0.4, 0.9])
    expected = [variance_components(rows) for rows in POSITIONS]
    assert list(zip(between, within, strict=True)) == expected
    # State 0: six values about 0.2, all but two of them on it; within squares 0.02 / 4.
    assert within[0] / LENGTH == pytest.approx(math.sqrt(0.02 / 4))


def test_declared_moments_stand_whatever_the_positions_say() -> None:
    declared = (LENGTH * np.array([0.1, 0.5, 0.7]), np.full(3, 1e-9), np.full(3, 2e-9))
    found = device(moments=declared)
    for value, given in zip(found.moments, declared, strict=True):
        assert value.tolist() == given.tolist()
    assert found.weight_of(LENGTH * 0.4) == pytest.approx(0.0)


@pytest.mark.parametrize("kept", ["state_mean", "sigma_device", "sigma_cycle"])
def test_moments_that_are_not_declared_are_estimated_beside_those_that_are(kept: str) -> None:
    names = ["state_mean", "sigma_device", "sigma_cycle"]
    declared = (LENGTH * np.array([0.1, 0.5, 0.7]), np.full(3, 1e-9), np.full(3, 2e-9))
    data = device(moments=declared).data.drop_vars([name for name in names if name != kept])
    found, estimated = CharacterisedDevice(data).moments, CharacterisedDevice(smallest()).moments
    for number, name in enumerate(names):
        assert found[number].tolist() == (declared if name == kept else estimated)[number].tolist()


def test_weights_of_the_outermost_states_are_minus_one_and_one() -> None:
    found = device()
    assert found.weight_of(LENGTH * np.array([0.2, 0.55, 0.9])) == pytest.approx([-1, 0, 1])
    # 0.2 of the track lies below the first state and 0.1 above the last; a weight is 0.35 of it.
    assert found.weight_range == pytest.approx((-1 - 0.2 / 0.35, 1 + 0.1 / 0.35))
    assert found.distribution().levels.tolist() == pytest.approx([-1, -1 + 0.2 / 0.35, 1])


def test_conductances_are_those_of_the_two_ends_of_the_track() -> None:
    data = device().data
    assert float(data["conductance_high"]) == pytest.approx(512e-9 * 64e-9 / 10e-12)
    assert float(data["conductance_low"]) == pytest.approx(512e-9 * 64e-9 / 10e-12 / 2.5)


def test_programming_conditions_are_kept_by_state() -> None:
    data = device().data
    assert data["gate_voltage"].values.tolist() == [-0.5, 0.0, 0.5]
    assert data["current_density"].values.tolist() == [1e11] * 3
    assert data["pulse_width"].values.tolist() == [1e-9] * 3


def test_origin_is_kept_with_the_data() -> None:
    found = device(assumed=["first", "second"], attributes={"seed": 7})
    assert found.assumed == ["first", "second"]
    attrs = found.data.attrs
    assert json.loads(attrs["attributes"]) == {"seed": 7}
    assert DeviceParameters.model_validate_json(attrs["parameters"]) == DeviceParameters()
    assert (attrs["format_version"], attrs["code_version"]) == (FORMAT_VERSION, __version__)


@pytest.mark.parametrize(
    ("source", "kind"),
    [("gaussian", GaussianStates), ("measured", EmpiricalStates), ("micromagnetics", EmpiricalStates)],
)
def test_only_a_textbook_device_is_gaussian_by_itself(source: str, kind: type) -> None:
    assert type(device(source=source).distribution()) is kind


def test_file_may_declare_a_measured_device_gaussian() -> None:
    data = smallest().assign_attrs(distribution="gaussian")
    found = CharacterisedDevice(data)
    distribution = found.distribution()
    assert isinstance(distribution, GaussianStates)
    scale = 2 / (0.7 * LENGTH)
    assert torch.allclose(distribution.sigma_cycle, torch.tensor(scale * found.moments[2], dtype=torch.float32))
    assert torch.allclose(distribution.sigma_device, torch.tensor(scale * found.moments[1], dtype=torch.float32))


def test_order_of_dimensions_does_not_matter() -> None:
    turned = CharacterisedDevice(smallest().transpose("cycle", "state", "device", "bound"))
    straight = CharacterisedDevice(smallest())
    for one, other in zip(turned.moments, straight.moments, strict=True):
        assert one.tolist() == other.tolist()
    assert torch.equal(turned.distribution().residuals, straight.distribution().residuals)


def test_whole_numbers_are_as_good_as_fractions() -> None:
    data = smallest()
    data["state_value"] = (("state", "device", "cycle"), np.array([[[0]], [[1]], [[3]]]))
    data["state_range"] = ("bound", np.array([0, 4]))
    assert CharacterisedDevice(data).weight_range == pytest.approx((-1, 1 + 2 / 3))


@pytest.mark.parametrize("states", [0, 1, 257])
def test_number_of_states_that_no_synapse_has_is_refused(states: int) -> None:
    positions = np.linspace(0, LENGTH, states).reshape(states, 1, 1)
    with pytest.raises(InputError, match=rf"^the device has {states} state\(s\); a synapse needs 2 to 256"):
        device(positions)


def test_largest_number_of_states_is_accepted() -> None:
    assert device(np.linspace(0, LENGTH, 256).reshape(256, 1, 1)).states == 256


def test_states_closer_than_a_thousandth_of_the_range_are_not_told_apart() -> None:
    near = np.array([0.1, 0.5, 0.5 + 0.8 * 0.9e-3, 0.9]).reshape(4, 1, 1)
    with pytest.raises(InputError, match=r"states 1 and 2 are .* must be in order of their mean values and distinct"):
        device(LENGTH * near)
    near[2] = 0.5 + 0.8 * 1.1e-3
    assert device(LENGTH * near).states == 4


def test_a_device_can_rest_at_the_very_ends_of_the_track() -> None:
    assert device(np.array([0.0, LENGTH]).reshape(2, 1, 1)).weight_range == (-1.0, 1.0)


def test_a_copy_of_the_preset_is_judged_by_its_content() -> None:
    data = gaussian_device(3).data
    assert CharacterisedDevice(data.copy(deep=True)).states == 3
    with pytest.raises(InputError, match="variable 'state_value' is missing"):
        CharacterisedDevice(data.drop_vars("state_value"))


def test_energies_that_are_given_take_the_place_of_the_protocol_s() -> None:
    computed = device()
    sot, read = np.array([1e-15, 2e-15, 4e-15]), np.array([3e-17, 4e-17, 5e-17])
    found = device(energies={"sot": sot, "read": read})
    assert found.energy("sot").tolist() == sot.tolist()
    assert found.energy("read").tolist() == read.tolist()
    assert found.energy("gate").tolist() == computed.energy("gate").tolist()


@pytest.mark.parametrize(
    ("energies", "culprit"),
    [
        ({"heat": np.ones(3)}, r"energies: 'heat' is not one of sot, gate, read"),
        ({"sot": np.ones(2)}, r"energies of 'sot' have the shape \(2,\), must be \(3,\)"),
        ({"gate": np.ones((3, 1))}, r"energies of 'gate' have the shape \(3, 1\)"),
        ({"read": np.array([1e-15, -1e-18, 0])}, "variable 'energy' holds a negative energy"),
        ({"sot": np.array([1e-15, NAN, 0])}, "energies of 'sot' hold a value that is not finite"),
    ],
)
def test_energies_that_cannot_be_are_named(energies: dict[str, np.ndarray], culprit: str) -> None:
    with pytest.raises(InputError, match=f"^{culprit}"):
        device(energies=energies)


# One missing cycle of state 1 was run and lost its wall; one of state 2 was never run.
OUTCOME = np.zeros(POSITIONS.shape, np.int8)
OUTCOME[1, 0, 2] = 1
HOLED = POSITIONS.copy()
HOLED[2, 1, 0] = NAN
OUTCOME[2, 1, 0] = -1


def test_outcomes_are_kept_with_their_meanings_and_counted() -> None:
    found = device(HOLED, outcome=OUTCOME)
    variable = found.data["outcome"]
    assert variable.dtype == np.int8
    assert variable.values.tolist() == OUTCOME.tolist()
    words = variable.attrs["flag_meanings"].split()
    assert dict(zip(variable.attrs["flag_values"].tolist(), words, strict=True)) == {
        -1: "not_run",
        0: "single_wall_at_rest",
        1: "no_wall",
        2: "several_walls",
        3: "wall_not_at_rest",
    }
    # One of six cycles; a cycle that was never run counts nowhere.
    assert found.failure_rate == pytest.approx([0, 1 / 6, 0])


def test_file_without_outcomes_knows_of_no_failure() -> None:
    assert device().failure_rate.tolist() == [0, 0, 0]


def test_outcomes_may_come_in_any_order_of_dimensions() -> None:
    data = device(HOLED, outcome=OUTCOME).data
    turned = data.assign(outcome=data["outcome"].transpose("cycle", "device", "state"))
    assert CharacterisedDevice(turned).failure_rate == pytest.approx([0, 1 / 6, 0])


@pytest.mark.parametrize(
    ("place", "value", "culprit"),
    [
        ((0, 0, 0), 2, r"outcome\[state=0, device=0, cycle=0\] = 2 \(several_walls\), but it has a value"),
        ((0, 1, 2), 3, r"outcome\[state=0, device=1, cycle=2\] = 3 \(wall_not_at_rest\), but it has a value"),
        ((0, 1, 2), -1, r"outcome\[.*\] = -1 \(not_run\), but it has a value"),
        ((1, 0, 2), 0, r"outcome\[state=1, device=0, cycle=2\] = 0 \(single_wall_at_rest\), but it has no value"),
        ((1, 0, 2), 4, "variable 'outcome' holds a value that is none of -1, 0, 1, 2, 3"),
    ],
)
def test_outcome_and_position_must_agree(place: tuple[int, int, int], value: int, culprit: str) -> None:
    outcome = OUTCOME.copy()
    outcome[place] = value
    with pytest.raises(InputError, match=f"^{culprit}"):
        device(HOLED, outcome=outcome)


def test_outcome_of_another_shape_is_refused() -> None:
    with pytest.raises(InputError, match=r"^outcome has the shape \(3, 2, 2\), but the values have \(3, 2, 3\)"):
        device(outcome=OUTCOME[:, :, :2])


def test_statistics_are_kept_with_the_device() -> None:
    statistics = describe_statistics(POSITIONS)
    found = device(extras=[statistics])
    for name in statistics:
        np.testing.assert_array_equal(found.data[name].values, statistics[name].values)
        assert found.data[name].attrs == statistics[name].attrs
    assert found.moments[0].tolist() == device().moments[0].tolist()


def test_extending_replaces_what_was_there_and_leaves_the_device_alone() -> None:
    before = device(extras=[describe_statistics(POSITIONS)])
    other = before.data[["overlap"]] * 0.5
    after = before.extended(other.assign_attrs(distribution="gaussian"))
    assert float(after.data["overlap"][0, 0]) == 0.5
    assert isinstance(after.distribution(), GaussianStates)
    assert float(before.data["overlap"][0, 0]) == 1
    assert isinstance(before.distribution(), EmpiricalStates)


def test_statistics_of_another_device_are_refused() -> None:
    with pytest.raises(InputError, match=r"^the additional variables do not fit the device") as caught:
        device().extended(describe_statistics(POSITIONS[:2]))
    assert len(str(caught.value).splitlines()) == 1
