"""The interface of gates, their registry, and the energy that a gate voltage costs."""

from __future__ import annotations

import abc
from typing import Any

import numpy as np
from jaxtyping import Float
from pydantic import SerializerFunctionWrapHandler, model_serializer

from barkhausen.core.config import Parameters, own_options
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.registry import Registry
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import Gate

VACUUM_PERMITTIVITY = 8.8541878128e-12
"""Vacuum permittivity in F/m (CODATA 2018)."""

DEFAULT_GATE = "strain"
"""Kind of the gate of parameter files without ``gate.kind``."""


class TrackGate(Parameters, abc.ABC):
    """Gate of a track, a plate capacitor over its whole area whose voltage changes the anisotropy."""

    kind: str

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Parameters of devices that were made before there were several kinds stay the same text.
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if key != "kind" or value != DEFAULT_GATE}

    @abc.abstractmethod
    def on(self, track: Racetrack) -> Gate:
        """The gate for micromagnetic simulations of a track."""

    @abc.abstractmethod
    def capacitance(self, track: Racetrack) -> float:
        """Capacitance in F of the gate as a plate capacitor, C = eps0 eps_r L w / t."""

    @property
    def unused_of_track(self) -> tuple[str, ...]:
        """Names of fields of the track that mean nothing with this gate."""
        return ("piezoelectric_thickness", "piezoelectric_permittivity")

    def largest_voltage(self, track: Racetrack) -> float | None:
        """Voltage in V above which a value is refused; None if nothing is known."""
        return self.on(track).largest_voltage

    def sourced(self) -> dict[str, float]:
        """Constants of the gate that belong to the stack of the film, by their names in the ranges of stacks."""
        return {}

    def doubts(self, junction: TunnelJunction) -> list[str]:
        """Sentences about values of the gate that do not fit each other or those of the junction."""
        return []

    def leakage(self, track: Racetrack, junction: TunnelJunction) -> float:
        """Conductance in S through which the gate leaks while a voltage is on it; 0 for an insulator.

        Args:
            track: Geometry of the gate.
            junction: Junction over the track, whose barrier may be the dielectric of the gate.
        """
        return 0.0

    def below(self, track: Racetrack) -> float:
        """Thickness in m of the part of the gate that lies between the track and its substrate."""
        return 0.0

    def energy(
        self,
        track: Racetrack,
        junction: TunnelJunction,
        levels: Float[np.ndarray, "interval any"],
        durations: Float[np.ndarray, " interval"],
    ) -> Float[np.ndarray, " any"]:
        """Energy in J drawn from the supplies by a gate voltage that is constant over intervals, from 0 V.

        C V (V − V') for every step from V' to V (a step towards zero returns nothing, since the charge is not
        recovered), and V² G t of a gate that leaks.

        Args:
            track, junction: As in :meth:`leakage`.
            levels: Voltage in V in each interval.
            durations: Duration of each interval in s.
        """
        levels = np.asarray(levels, dtype=np.float64)
        before = np.concatenate([np.zeros_like(levels[:1]), levels[:-1]])
        charged = np.maximum(levels * (levels - before), 0.0).sum(axis=0)
        leak = self.leakage(track, junction)
        if leak == 0:
            return np.asarray(self.capacitance(track) * charged)
        return np.asarray(self.capacitance(track) * charged + leak * np.tensordot(durations, levels * levels, axes=1))

    def charging_energy(self, track: Racetrack, voltage: float) -> float:
        """Energy in J drawn from the supply to charge and discharge the gate once: C V².

        Half of it is lost on charging and half on discharging; none is recovered (no adiabatic charging).

        Args:
            track: Geometry of the gate.
            voltage: Gate voltage in V.
        """
        return self.capacitance(track) * voltage * voltage

    def assumed(self, given: bool) -> list[str]:
        """Assumptions about what the gate costs, a line each: electrical parameters at defaults.

        Args:
            given: Whether the parameters of the device have a gate at all.
        """
        return []

    @abc.abstractmethod
    def described(self, track: Racetrack) -> str:
        """How the gate acts on the film, as a line of the assumptions of a simulation."""


GATES: Registry[type[TrackGate]] = Registry("gate", "gate.kind")
"""Gates by kind."""


def gate_from(value: Any) -> TrackGate:
    """The gate of a table, whose ``kind`` says which; for the validator of the key that holds it.

    Raises:
        ValueError: There is no such kind, or it has no such key.
        pydantic.ValidationError: A value of the gate is impossible.
    """
    if isinstance(value, TrackGate):
        return value
    if not isinstance(value, dict):
        raise ValueError("must be a table")
    kind = value.get("kind", DEFAULT_GATE)
    entry = GATES.find(kind)
    if entry is None:
        raise ValueError(f"kind = {kind!r}: no such gate{did_you_mean(str(kind), GATES)}")
    unknown = [key for key in value if key not in entry.model_fields]
    if unknown:
        owners = [name for name, other in GATES.items() if unknown[0] in other.model_fields]
        hint = f" (a key of kind = {owners[0]!r})" if owners else did_you_mean(unknown[0], entry.model_fields)
        raise ValueError(f"unknown key 'gate.{unknown[0]}' of a gate of kind = {kind!r}{hint}")
    gate = own_options(entry, value)
    if not isinstance(gate, TrackGate):
        raise InputError(f"gate.kind = {kind!r}: {entry.__name__} is no TrackGate")
    return gate
