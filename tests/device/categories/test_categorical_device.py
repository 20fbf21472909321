from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import CategoricalDevice, CharacterisedDevice, read_device, write_device
from barkhausen.device.identity import statistics_hash
from categorical_devices import NAMES, categorical


def test_a_device_file_holds_all_of_it(tmp_path: Path) -> None:
    device = categorical()
    write_device(device, tmp_path / "memory.nc")
    found = read_device(tmp_path / "memory.nc")
    assert isinstance(found, CategoricalDevice)
    assert found.categories == list(NAMES) and found.pulses == ["lower", "raise"]
    np.testing.assert_array_equal(found.counts, device.counts)
    np.testing.assert_array_equal(found.probabilities.sum(-1), 1)
    np.testing.assert_array_equal(found.policy, device.policy)
    assert statistics_hash(found) == statistics_hash(device) != statistics_hash(categorical(0.8))
    np.testing.assert_allclose(found.category_weights, [1, -1, 0, 0, 0.4])
    # Mean over the categories of the other states: from down and up by the first pulse, from skyrmions by the second.
    np.testing.assert_allclose(found.energy("gate"), [(2 + 1 + 1) / 3 * 1e-15, 2e-15, (2 + 1 + 1) / 3 * 1e-15])
    assert "CharacterisedDevice" in repr(found)


def test_success_has_wilson_intervals() -> None:
    device = categorical(0.99)
    assert device.success("up", 1) == (990, 1000)
    low, high = device.success_interval("up", 1)
    # Wilson: (p + z²/2n ± z sqrt(p(1 − p)/n + z²/4n²))/(1 + z²/n).
    z, n, p = 1.959964, 1000, 0.99
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert (low, high) == pytest.approx(tuple((p + z**2 / (2 * n) + s * half) / (1 + z**2 / n) for s in (-1, 1)))
    assert device.success("up", 2) == (0, 0)
    with pytest.raises(InputError, match="category = 'left': must be one of up, down"):
        device.success("left", 1)


def _set(name: str, place: tuple[int, ...], value: float) -> Callable[[xr.Dataset], xr.Dataset]:
    def change(data: xr.Dataset) -> xr.Dataset:
        values = data[name].values.astype(np.float64)
        values[place] = value
        return data.assign({name: (data[name].dims, values)})

    return change


BAD: list[tuple[Callable[[xr.Dataset], xr.Dataset], str]] = [
    (lambda data: data.drop_vars("pulse_of"), "variable 'pulse_of' is missing"),
    (_set("transition_count", (0, 0, 3), -1), "variable 'transition_count' holds a value that is not at least 0"),
    (_set("transition_count", (0, 0, 3), 1.5), "variable 'transition_count' holds a value that is no whole number"),
    (_set("category_state", (0,), 3), "variable 'category_state' holds 3, must be at most 2"),
    (_set("category_state", (0,), 1), "variable 'category_state' gives no category of state 2"),
    (_set("pulse_of", (0, 0), 2), "variable 'pulse_of' holds 2, must be at most 1"),
    (_set("pulse_of", (0, 0), -1), "variable 'pulse_of' gives no pulse from up to state 0"),
    (_set("pulse_of", (0, 0), 1), "variable 'pulse_of' names 'raise' for up, but 'transition_count' has no outcome"),
    (_set("pulse_energy", (0, 0), -1), "variable 'pulse_energy' holds a value that is not at least 0"),
    (lambda data: data.drop_vars("pulse"), "variable 'pulse' must hold a name for each pulse"),
    (lambda data: data.assign_coords(pulse=["a", "a"]), "variable 'pulse' holds a name twice"),
    (lambda data: data.assign_attrs(kind="states"), "kind = 'states': must be 'categories' here"),
    (lambda data: data.isel(next_category=slice(4)), "dimension 'next_category' has 4 entries"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message[:40] for _, message in BAD])
def test_impossible_devices_are_refused(change: Callable[[xr.Dataset], xr.Dataset], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        CategoricalDevice(change(categorical().data.copy(deep=True)))


def test_a_device_of_states_is_not_one_of_categories() -> None:
    with pytest.raises(InputError, match="kind = 'categories': must be 'states' here"):
        CharacterisedDevice(categorical().data)
