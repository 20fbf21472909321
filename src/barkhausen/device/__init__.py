"""One domain-wall device: its track, its pulses, its read-out and the statistics of its states."""

from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.device.domain_wall.compact.calibration import Calibration, calibrate
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.ensemble import Ensemble
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.gate import Piezoelectric
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.parameters import DeviceParameters, load_parameters
from barkhausen.device.domain_wall.protocol import ProgrammingProtocol, Pulse
from barkhausen.device.domain_wall.retention import retention
from barkhausen.device.domain_wall.shape import EndStops, Grains, TrackShape
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.device.file import FORMAT_VERSION, read_device, write_device
from barkhausen.device.fitted import StateSummary, fitted, fitting_report
from barkhausen.device.importers.measured_csv import import_measured_csv
from barkhausen.device.importers.mumax3 import import_mumax3_tables
from barkhausen.device.presets import gaussian_device, preset, preset_names, shipped_file, shipped_names, shipped_toml
from barkhausen.device.statistics.distribution import EmpiricalStates, GaussianStates, StateDistribution
from barkhausen.device.statistics.selection import LEAST_DEVICES, FitReport, choose_fit
from barkhausen.device.statistics.summary import describe_statistics

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
