"""One domain-wall device: its track, its pulses, its read-out and the statistics of its states."""

from barkhausen.device.calibration import Calibration, calibrate
from barkhausen.device.characterise import Characterisation
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.compact import CompactModel, CompactParameters
from barkhausen.device.distribution import EmpiricalStates, GaussianStates, StateDistribution
from barkhausen.device.ensemble import Ensemble
from barkhausen.device.event import ProgrammingEvent
from barkhausen.device.file import FORMAT_VERSION, read_device, write_device
from barkhausen.device.fits import LEAST_DEVICES, FitReport, choose_fit
from barkhausen.device.fitted import StateSummary, fitted, fitting_report
from barkhausen.device.gate import Piezoelectric
from barkhausen.device.measured import import_measured_csv
from barkhausen.device.mumax3_tables import import_mumax3_tables
from barkhausen.device.parameters import DeviceParameters, load_parameters
from barkhausen.device.presets import gaussian_device, preset, preset_names, shipped_file, shipped_names, shipped_toml
from barkhausen.device.pulse import ProgrammingProtocol, Pulse
from barkhausen.device.racetrack import Racetrack
from barkhausen.device.readout import TunnelJunction
from barkhausen.device.retention import retention
from barkhausen.device.shape import EndStops, Grains, TrackShape
from barkhausen.device.statistics import describe_statistics

__all__ = [
    "FORMAT_VERSION",
    "LEAST_DEVICES",
    "Calibration",
    "Characterisation",
    "CharacterisedDevice",
    "CompactModel",
    "CompactParameters",
    "DeviceParameters",
    "EmpiricalStates",
    "EndStops",
    "Ensemble",
    "FitReport",
    "GaussianStates",
    "Grains",
    "Piezoelectric",
    "ProgrammingEvent",
    "ProgrammingProtocol",
    "Pulse",
    "Racetrack",
    "StateDistribution",
    "StateSummary",
    "TrackShape",
    "TunnelJunction",
    "calibrate",
    "choose_fit",
    "describe_statistics",
    "fitted",
    "fitting_report",
    "gaussian_device",
    "import_measured_csv",
    "import_mumax3_tables",
    "load_parameters",
    "preset",
    "preset_names",
    "read_device",
    "retention",
    "shipped_file",
    "shipped_names",
    "shipped_toml",
    "write_device",
]
