from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.device import (
    FORMAT_VERSION,
    CharacterisedDevice,
    DeviceParameters,
    EmpiricalStates,
    GaussianStates,
    gaussian_device,
)
from barkhausen.device.variance import variance_components
from barkhausen.errors import InputError
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
    return CharacterisedDevice.from_positions(positions, DeviceParameters(), **({"source": "measured"} | arguments))


def smallest() -> xr.Dataset:
    """What the format requires of a foreign file, and no more."""
    return xr.Dataset(
        {
            "position": (("state", "device", "cycle"), POSITIONS),
            "gate_voltage": ("state", [-0.5, 0.0, 0.5]),
            "current_density": ("state", [1e11] * 3),
            "pulse_width": ("state", [1e-9] * 3),
            "programming_energy": ("state", [1e-15, 2e-15, 3e-15]),
            "track_length": LENGTH,
        },
        attrs={"format_version": FORMAT_VERSION, "source": "measured"},
    )


def test_file_of_required_variables_alone_is_a_whole_device() -> None:
    found = CharacterisedDevice(smallest())
    assert (found.states, found.source) == (3, "measured")
    assert found.moments[0] / LENGTH == pytest.approx([0.2, 0.4, 0.9])
    assert isinstance(found.distribution(), EmpiricalStates)
    assert found.energy("sot").tolist() == [1e-15, 2e-15, 3e-15]
    assert len(found.assumed) == 2


def test_positions_keep_their_places_and_missing_cycles_stay_missing() -> None:
    data = device().data
    assert data["position"].dims == ("state", "device", "cycle")
    np.testing.assert_array_equal(data["position"].values, POSITIONS)
    assert float(data["track_length"]) == LENGTH


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


@pytest.mark.parametrize("kept", ["position_mean", "position_sigma_device", "position_sigma_cycle"])
def test_moments_that_are_not_declared_are_estimated_beside_those_that_are(kept: str) -> None:
    names = ["position_mean", "position_sigma_device", "position_sigma_cycle"]
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
    assert float(data["conductance_parallel"]) == pytest.approx(512e-9 * 64e-9 / 10e-12)
    assert float(data["conductance_antiparallel"]) == pytest.approx(512e-9 * 64e-9 / 10e-12 / 2.5)


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
    turned = CharacterisedDevice(smallest().transpose("cycle", "state", "device"))
    straight = CharacterisedDevice(smallest())
    for one, other in zip(turned.moments, straight.moments, strict=True):
        assert one.tolist() == other.tolist()
    assert torch.equal(turned.distribution().residuals, straight.distribution().residuals)


def test_whole_numbers_are_as_good_as_fractions() -> None:
    data = smallest()
    data["position"] = (("state", "device", "cycle"), np.array([[[0]], [[1]], [[3]]]))
    data["gate_voltage"] = ("state", np.array([0, 1, 2]))
    data["track_length"] = 4
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
    with pytest.raises(InputError, match=r"states 1 and 2 are .* must be in order of position and distinct"):
        device(LENGTH * near)
    near[2] = 0.5 + 0.8 * 1.1e-3
    assert device(LENGTH * near).states == 4


def test_a_device_can_rest_at_the_very_ends_of_the_track() -> None:
    assert device(np.array([0.0, LENGTH]).reshape(2, 1, 1)).weight_range == (-1.0, 1.0)


def test_a_copy_of_the_preset_is_judged_by_its_content() -> None:
    data = gaussian_device(3).data
    assert CharacterisedDevice(data.copy(deep=True)).states == 3
    with pytest.raises(InputError, match="variable 'position' is missing"):
        CharacterisedDevice(data.drop_vars("position"))
