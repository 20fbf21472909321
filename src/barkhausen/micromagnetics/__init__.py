"""Micromagnetics of a thin film at finite temperature: hundreds of replicas in one call."""

from barkhausen.micromagnetics.backend import BACKENDS, choose_backend
from barkhausen.micromagnetics.ensemble import simulate
from barkhausen.micromagnetics.equilibrium import (
    NotConvergedError,
    Stability,
    largest_torque,
    minimize,
    relax,
    stability,
)
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.excitation.gate import Gate, StrainGate, VoltageControlledAnisotropy
from barkhausen.micromagnetics.excitation.waveform import Waveform
from barkhausen.micromagnetics.files.ovf import Snapshots, read_ovf, write_ovf
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.geometry.anisotropy_map import Region, anisotropy_map, grains
from barkhausen.micromagnetics.geometry.outline import Notch, TrackOutline, graded_notches, track_film
from barkhausen.micromagnetics.geometry.roughness import EdgeRoughness
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.initial import domain_wall, random_state, uniform, vortex
from barkhausen.micromagnetics.integrators import (
    CompiledHeun,
    DormandPrince,
    Heun,
    IntegrationError,
    StepAdvice,
    Stepper,
    advise_step,
)
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.material import Material, material, material_names
from barkhausen.micromagnetics.observables import (
    Energy,
    MeanMagnetisation,
    Observable,
    PerpendicularMap,
    WallAngle,
    WallCount,
    WallPosition,
    WallTilt,
    default_observables,
)
from barkhausen.micromagnetics.simulation import Simulation
from barkhausen.micromagnetics.state import Inputs, State
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import (
    CubicAnisotropy,
    Demag,
    EnergyTerm,
    Exchange,
    InterfacialDMI,
    PerpendicularAnisotropy,
    SpinOrbitTorque,
    Term,
    ThermalNoise,
    Torque,
    UniaxialAnisotropy,
    Zeeman,
    ZhangLi,
    standard_terms,
    thermal_amplitude,
)

__all__ = [
    "BACKENDS",
    "CompiledHeun",
    "CubicAnisotropy",
    "Demag",
    "DormandPrince",
    "Drive",
    "EdgeRoughness",
    "Energy",
    "EnergyTerm",
    "Exchange",
    "Film",
    "Gate",
    "Grid",
    "Heun",
    "Inputs",
    "IntegrationError",
    "InterfacialDMI",
    "Material",
    "MeanMagnetisation",
    "NotConvergedError",
    "Notch",
    "Observable",
    "ParameterMaps",
    "PerpendicularAnisotropy",
    "PerpendicularMap",
    "Region",
    "Simulation",
    "Snapshots",
    "SpinOrbitTorque",
    "Stability",
    "State",
    "StepAdvice",
    "Stepper",
    "StrainGate",
    "System",
    "Term",
    "ThermalNoise",
    "Torque",
    "TrackOutline",
    "UniaxialAnisotropy",
    "VoltageControlledAnisotropy",
    "WallAngle",
    "WallCount",
    "WallPosition",
    "WallTilt",
    "Waveform",
    "Zeeman",
    "ZhangLi",
    "advise_step",
    "anisotropy_map",
    "choose_backend",
    "default_observables",
    "domain_wall",
    "graded_notches",
    "grains",
    "largest_torque",
    "material",
    "material_names",
    "minimize",
    "random_state",
    "read_ovf",
    "relax",
    "simulate",
    "stability",
    "standard_terms",
    "thermal_amplitude",
    "track_film",
    "uniform",
    "vortex",
    "write_ovf",
]
