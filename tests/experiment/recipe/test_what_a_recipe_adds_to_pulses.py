"""What a recipe adds to a device moved by pulses, also to one of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import named_pulsed_device, write_device
from barkhausen.experiment.recipe.device import DeviceRecipe
from barkhausen.experiment.recipe.pulsed_device import pulsed_device


@pytest.fixture
def measured(tmp_path: Path) -> str:
    """A device file that states no energies and no spread, as one of measured curves."""
    path = tmp_path / "measured.nc"
    write_device(named_pulsed_device("soft-bounds-40"), path)
    return str(path)


def test_a_device_of_a_file_gets_energies_and_a_spread(measured: str) -> None:
    device = pulsed_device(DeviceRecipe(file=measured, pulse_energy=2e-13, pulse_spread=0.3))
    assert device.energy() == (2e-13, 2e-13)
    np.testing.assert_array_equal(device.data["scale_sd"], [0.3, 0.3])
    assert any("2e-13 J (recipe); reads at 0.1 V for 1e-08 s" in line for line in device.assumed)


def test_energies_and_devices_are_not_given_twice(measured: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^device\.pulsed = 'linear-32': is not used beside device\.file"):
        pulsed_device(DeviceRecipe(file=measured, pulsed="linear-32"))
    priced = tmp_path / "priced.nc"
    write_device(pulsed_device(DeviceRecipe(file=measured, pulse_energy=2e-13)), priced)
    with pytest.raises(InputError, match=r"^device\.pulse_energy: the device states the energies"):
        pulsed_device(DeviceRecipe(file=str(priced), pulse_energy=1e-13))
