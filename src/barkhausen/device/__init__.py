"""One domain-wall device: its track, its pulses, its read-out and the statistics of its states."""

from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.distribution import EmpiricalStates, GaussianStates, StateDistribution
from barkhausen.device.file import FORMAT_VERSION, read_device, write_device
from barkhausen.device.measured import import_measured_csv
from barkhausen.device.parameters import DeviceParameters, load_parameters
from barkhausen.device.presets import gaussian_device, preset, preset_names, shipped_file, shipped_names, shipped_toml
from barkhausen.device.pulse import ProgrammingProtocol, Pulse
from barkhausen.device.racetrack import Racetrack
from barkhausen.device.readout import TunnelJunction

__all__ = [
    "FORMAT_VERSION",
    "CharacterisedDevice",
    "DeviceParameters",
    "EmpiricalStates",
    "GaussianStates",
    "ProgrammingProtocol",
    "Pulse",
    "Racetrack",
    "StateDistribution",
    "TunnelJunction",
    "gaussian_device",
    "import_measured_csv",
    "load_parameters",
    "preset",
    "preset_names",
    "read_device",
    "shipped_file",
    "shipped_names",
    "shipped_toml",
    "write_device",
]
