"""Characterised devices: the device file, the technologies, and the statistics of states."""

from barkhausen.device.categories.device import CategoricalDevice, Categories, Pulses
from barkhausen.device.characterised import CharacterisedDevice
from barkhausen.device.coordinate import ReadOut, StateCoordinate
from barkhausen.device.domain_wall.characterise import Characterisation
from barkhausen.device.domain_wall.compact.calibration import Calibration, calibrate
from barkhausen.device.domain_wall.compact.model import CompactModel, CompactParameters
from barkhausen.device.domain_wall.ensemble import Ensemble
from barkhausen.device.domain_wall.event import ProgrammingEvent
from barkhausen.device.domain_wall.gates import GATES, OxideGate, Piezoelectric, TrackGate
from barkhausen.device.domain_wall.heat import Heat, event_heating
from barkhausen.device.domain_wall.interfaces import Interfaces
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.labelled import domain_wall_device
from barkhausen.device.domain_wall.parameters import DeviceParameters, load_parameters
from barkhausen.device.domain_wall.protocol import ProgrammingProtocol, Pulse
from barkhausen.device.domain_wall.retention import retention
from barkhausen.device.domain_wall.shape import EndStops, Grains, TrackShape
from barkhausen.device.domain_wall.technology import DOMAIN_WALL
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.device.file import FORMAT_VERSION, read_any_device, read_device, write_device
from barkhausen.device.fitted import StateSummary, fitted, fitting_report
from barkhausen.device.importers.measured_csv import import_measured_csv
from barkhausen.device.importers.mumax3 import import_mumax3_tables
from barkhausen.device.kinds import DEVICE_KINDS, DeviceKind
from barkhausen.device.neuron import NeuronDevice, import_firing_curve
from barkhausen.device.of_kind import device_of_kind, file_of_kind
from barkhausen.device.presets import (
    any_named_device,
    declared_file,
    declared_names,
    gaussian_device,
    named_device,
    preset,
    preset_names,
    shipped_file,
    shipped_names,
    shipped_toml,
)
from barkhausen.device.probability import PassCurve, ProbabilityDevice, fit_curve
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.file import named_pulsed_device, pulsed_names, read_pulsed_device
from barkhausen.device.pulses.sampling import DeviceSample
from barkhausen.device.resistive.technology import RESISTIVE, ResistiveParameters
from barkhausen.device.skyrmion.parameters import SkyrmionParameters
from barkhausen.device.skyrmion.technology import SKYRMION
from barkhausen.device.statistics.distribution import EmpiricalStates, GaussianStates, StateDistribution
from barkhausen.device.statistics.selection import LEAST_DEVICES, FitReport, choose_fit
from barkhausen.device.statistics.summary import describe_statistics
from barkhausen.device.technology import TECHNOLOGIES, Technology, load_technology, technology_of

__all__ = [
    "DEVICE_KINDS",
    "DOMAIN_WALL",
    "FORMAT_VERSION",
    "GATES",
    "LEAST_DEVICES",
    "RESISTIVE",
    "SKYRMION",
    "TECHNOLOGIES",
    "Calibration",
    "CategoricalDevice",
    "Categories",
    "Characterisation",
    "CharacterisedDevice",
    "CompactModel",
    "CompactParameters",
    "DeviceKind",
    "DeviceParameters",
    "DeviceSample",
    "EmpiricalStates",
    "EndStops",
    "Ensemble",
    "FitReport",
    "GaussianStates",
    "Grains",
    "Heat",
    "Interfaces",
    "NeuronDevice",
    "OxideGate",
    "PassCurve",
    "Piezoelectric",
    "ProbabilityDevice",
    "ProgrammingEvent",
    "ProgrammingProtocol",
    "Pulse",
    "PulsedDevice",
    "Pulses",
    "Racetrack",
    "ReadOut",
    "ResistiveParameters",
    "SkyrmionParameters",
    "StateCoordinate",
    "StateDistribution",
    "StateSummary",
    "Technology",
    "TrackGate",
    "TrackShape",
    "TunnelJunction",
    "any_named_device",
    "calibrate",
    "choose_fit",
    "declared_file",
    "declared_names",
    "describe_statistics",
    "device_of_kind",
    "domain_wall_device",
    "event_heating",
    "file_of_kind",
    "fit_curve",
    "fitted",
    "fitting_report",
    "gaussian_device",
    "import_firing_curve",
    "import_measured_csv",
    "import_mumax3_tables",
    "load_parameters",
    "load_technology",
    "named_device",
    "named_pulsed_device",
    "preset",
    "preset_names",
    "pulsed_names",
    "read_any_device",
    "read_device",
    "read_pulsed_device",
    "retention",
    "shipped_file",
    "shipped_names",
    "shipped_toml",
    "technology_of",
    "write_device",
]
