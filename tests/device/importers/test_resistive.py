from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import ResistiveParameters, gaussian_device, import_measured_csv, read_device, write_device
from barkhausen.device.conductance import ConductanceMap
from barkhausen.device.resistive.technology import Read, Write

PARAMETERS = ResistiveParameters(write=Write(energy=5e-12), read=Read(voltage=0.2, time=5e-9))
CONDUCTANCES = "state,device,cycle,conductance_s\nlow,A,1,1e-5\nlow,A,2,2e-5\nhigh,A,1,6e-5\nhigh,A,2,8e-5\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_conductances_are_the_states_themselves(tmp_path: Path) -> None:
    device = import_measured_csv(written(tmp_path / "measured.csv", CONDUCTANCES), PARAMETERS)
    write_device(device, tmp_path / "device.nc")
    device = read_device(tmp_path / "device.nc")
    assert (device.technology, device.coordinate.unit, device.coordinate.shown_unit) == ("resistive", "S", "µS")
    assert device.state_values.tolist() == [[[1e-5, 2e-5]], [[6e-5, 8e-5]]]
    assert device.state_range == (1e-5, 8e-5)
    assert "1e-05 S and 8e-05 S, the extremes of the data, are the range" in device.assumed
    assert device.energy_causes == {"write": "write pulses", "read": "verify read"}
    assert device.energy("write").tolist() == [5e-12, 5e-12]
    # (0.2 V)^2 * 5 ns * 15 and 70 uS
    assert device.energy("read") == pytest.approx([3e-15, 1.4e-14], rel=1e-12, abs=0)
    assert (device.read_out.voltage, device.read_out.resistance_area) == (0.2, None)
    map_ = ConductanceMap.of(device)
    assert map_.conductance(np.array([-1.0, 0.0, 1.0])) == pytest.approx([1.5e-5, 4.25e-5, 7e-5])


def test_resistances_are_turned_into_conductances(tmp_path: Path) -> None:
    text = "state,device,cycle,resistance_ohm\na,A,1,1e4\nb,A,1,5e4\n"
    device = import_measured_csv(written(tmp_path / "r.csv", text), technology="resistive", conductance_range=(0, 2e-4))
    assert device.state_values.ravel() == pytest.approx([2e-5, 1e-4])
    assert device.state_range == (0.0, 2e-4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("state,device,cycle,resistance_ohm\na,A,1,0\nb,A,1,1\n", "line 2: resistance must be positive, got 0 ohm"),
        ("state,device,cycle,position_m\na,A,1,0\n", "must be state,device,cycle and one of conductance_s or resist"),
        (CONDUCTANCES + "high,A,3,9e-5\n", "line 6: conductance 9e-05 S lies outside 0 to 8.5e-05 S"),
    ],
)
def test_what_cannot_be_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    limited = ResistiveParameters(conductance_high=8.5e-5)
    with pytest.raises(InputError, match=message):
        import_measured_csv(written(tmp_path / "measured.csv", text), limited)


def test_a_textbook_device_needs_no_wall() -> None:
    device = gaussian_device(4, 0.1, parameters=PARAMETERS)
    assert device.technology == "resistive"
    assert device.moments[0] == pytest.approx(1e-4 * np.linspace(0.2, 0.8, 4))
    assert device.distribution().levels.tolist() == pytest.approx([-1, -1 / 3, 1 / 3, 1])
    assert device.distribution().levels.tolist() == pytest.approx(
        gaussian_device(4, 0.1).distribution().levels.tolist()
    )
