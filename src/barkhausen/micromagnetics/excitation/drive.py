"""Drive of the film: currents, applied field and gate voltage, each a waveform for every replica."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import QUANTITIES as KNOWN_QUANTITIES
from barkhausen.core.plausible import plausible, too_much_for_a_gate
from barkhausen.micromagnetics.display.descriptions import describe_drive
from barkhausen.micromagnetics.display.plots import plot_drive
from barkhausen.micromagnetics.excitation.gate import Gate
from barkhausen.micromagnetics.excitation.waveform import Values, Waveform
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.state import Inputs
from barkhausen.micromagnetics.terms import KNOWN, SpinOrbitTorque, Term, UniaxialAnisotropy, Zeeman, ZhangLi

if TYPE_CHECKING:
    from matplotlib.axes import Axes

QUANTITIES = {
    "current_density": "current density",
    "magnet_current_density": "current density",
    **dict.fromkeys(("field_x", "field_y", "field_z"), "field"),
    "gate_voltage": "gate voltage",
    "local_field": None,
}
"""Names of the signals, in the order of the columns of a table, each with its quantity for its plausible range."""

ZERO = Waveform.constant(0.0)
"""Most signals of most drives, made once: closed loops make a drive for every piece."""

Signal = Waveform | Values
"""Waveform or constant, common to all replicas or one for each."""


@dataclass(frozen=True, eq=False)
class Drive:
    """Currents, field and gate voltage; zero by default.

    Args:
        current_density: J in the heavy metal in A/m² (spin-orbit torque).
        magnet_current_density: J in the ferromagnet in A/m² (Zhang-Li torque).
        field_x, field_y, field_z: Applied field in T.
        gate_voltage: Gate voltage in V.
        gate: Model of the change of Ku by the voltage; needed if there is a voltage.
        gate_profile: Strength of the gate in each cell, ``[nx, ny]``. Default: 1 everywhere.
        local_field: Strength of a field that differs from cell to cell: a factor, or the current in A that makes it
            (:func:`~barkhausen.micromagnetics.excitation.oersted.strip_field`).
        field_profile: That field at strength 1, in T (or T/A), ``[3, nx, ny]``; needed if there is a local field.
        current_direction: Direction (x, y) of both currents in the film. Currents that differ from cell to cell
            (:attr:`ParameterMaps.current`) are turned by it.

    Raises:
        InputError: A gate voltage without a gate, a local field without a profile, a profile that is no plane of
            numbers, a direction that is none, or a value that is no plausible current density, field or gate voltage.
    """

    current_density: Signal = 0.0
    magnet_current_density: Signal = 0.0
    field_x: Signal = 0.0
    field_y: Signal = 0.0
    field_z: Signal = 0.0
    gate_voltage: Signal = 0.0
    gate: Gate | None = None
    gate_profile: Float[Tensor, "nx ny"] | None = None
    local_field: Signal = 0.0
    field_profile: Float[Tensor, "3 nx ny"] | None = None
    current_direction: tuple[float, float] = (1.0, 0.0)

    def __post_init__(self) -> None:
        for name, kind in QUANTITIES.items():
            value = getattr(self, name)
            if isinstance(value, float) and value == 0.0:
                object.__setattr__(self, name, ZERO)
                continue
            if not isinstance(value, Waveform):
                try:
                    value = Waveform.constant(value)
                except InputError as error:
                    raise InputError(f"drive.{name}: {error}") from None
                object.__setattr__(self, name, value)
            if kind is not None:
                plausible(kind, value.peak, f"drive.{name}")
            _check_times(name, value)
        self._check_gate()
        self._check_local_field()
        try:
            direction = tuple(float(part) for part in self.current_direction)
        except (TypeError, ValueError):
            direction = ()
        norm = math.hypot(*direction)
        if len(direction) != 2 or not (math.isfinite(norm) and norm > 0):
            raise InputError(f"drive.current_direction = {self.current_direction}: must be a direction (x, y)")
        object.__setattr__(self, "current_direction", (direction[0] / norm, direction[1] / norm))

    def _check_gate(self) -> None:
        if self.gate is not None and not isinstance(self.gate, Gate):
            raise InputError(f"drive.gate: {type(self.gate).__name__} is not a Gate")
        if self.gate is None and not self.waveform("gate_voltage").is_zero:
            raise InputError("drive.gate_voltage: needs drive.gate, which says how a voltage changes the anisotropy")
        if self.gate is not None and self.gate.largest_voltage is not None:
            line = too_much_for_a_gate(self.waveform("gate_voltage").peak, self.gate.largest_voltage)
            if line is not None:
                raise InputError(f"drive.gate_voltage = {line}")
        if self.gate_profile is not None:
            profile = as_tensor_of_numbers("drive.gate_profile", self.gate_profile, None)
            if profile.dim() != 2 or not bool(torch.isfinite(profile).all()):
                raise InputError("drive.gate_profile: must be finite numbers of shape (nx, ny)")
            object.__setattr__(self, "gate_profile", profile)

    def _check_local_field(self) -> None:
        if self.field_profile is None:
            if not self.waveform("local_field").is_zero:
                raise InputError("drive.local_field: needs drive.field_profile, the field of each cell")
            return
        profile = as_tensor_of_numbers("drive.field_profile", self.field_profile, None)
        if profile.dim() != 3 or len(profile) != 3 or not bool(torch.isfinite(profile).all()):
            raise InputError("drive.field_profile: must be finite numbers of shape (3, nx, ny)")
        object.__setattr__(self, "field_profile", profile)
        peak = abs(self.waveform("local_field").peak) * float(torch.linalg.vector_norm(profile, dim=0).max())
        plausible("field", peak, "drive.local_field × drive.field_profile")

    def plot(self, axes: Sequence[Axes] | None = None, *, until: float | None = None) -> list[Axes]:
        """Draw the signals that are not zero against time, a panel each (:func:`~.display.plots.plot_drive`).

        Args:
            axes: Axes to draw on, one for each signal. Default: those of a new figure.
            until: End of the time axis in s. Default: a little after the last change of a signal.
        """
        return plot_drive(self, axes, until=until)

    def __repr__(self) -> str:
        return describe_drive(self).text()

    def _repr_html_(self) -> str:
        return describe_drive(self).html()

    def waveform(self, name: str) -> Waveform:
        """Waveform of that name."""
        value = getattr(self, name)
        assert isinstance(value, Waveform)
        return value

    @property
    def waveforms(self) -> dict[str, Waveform]:
        """Waveforms by name."""
        return {name: self.waveform(name) for name in QUANTITIES}

    def describe(self) -> str:
        """Signals that are not zero, as JSON, for the attributes of a result."""
        parts: dict[str, object] = {name: wave.describe() for name, wave in self.waveforms.items() if not wave.is_zero}
        if self.gate is not None:
            parts["gate"] = {"kind": type(self.gate).__name__, **self.gate.model_dump()}
        if self.gate_profile is not None:
            parts["gate_profile"] = self.gate_profile.tolist()
        if self.field_profile is not None:
            parts["field_profile"] = self.field_profile.tolist()
        if self.current_direction != (1.0, 0.0):
            parts["current_direction"] = list(self.current_direction)
        return json.dumps(parts)

    def check_effect(self, material: Material, terms: Sequence[Term]) -> None:
        """Raise :class:`InputError` if a signal has no effect because no term reads it.

        Terms from outside the package may read any of the inputs; with one of them nothing is refused.
        """
        kinds = {type(term) for term in terms}
        if not kinds <= set(KNOWN):
            return
        torque, transfer = SpinOrbitTorque in kinds, ZhangLi in kinds
        deaf = {
            "current_density": (torque and material.spin_hall_angle, "a spin_hall_angle and SpinOrbitTorque"),
            "magnet_current_density": (transfer and material.spin_polarisation, "a spin_polarisation and ZhangLi"),
            "gate_voltage": (UniaxialAnisotropy in kinds, "the term UniaxialAnisotropy"),
            **{f"field_{axis}": (Zeeman in kinds, "the term Zeeman") for axis in "xyz"},
            "local_field": (Zeeman in kinds, "the term Zeeman"),
        }
        for name, (felt, needs) in deaf.items():
            if not felt and not self.waveform(name).is_zero:
                raise InputError(f"drive.{name}: does nothing here; it needs {needs}")

    def check_replicas(self, replicas: int) -> None:
        """Raise :class:`InputError` if a waveform is given for another number of replicas."""
        for name, wave in self.waveforms.items():
            if wave.replicas not in (1, replicas):
                raise InputError(f"drive.{name}: given for {wave.replicas} replicas, but there are {replicas}")

    def select(self, replicas: Int[Tensor, " replica"]) -> Drive:
        """Drive of the selected replicas."""
        chosen: dict[str, Any] = {name: wave.select(replicas) for name, wave in self.waveforms.items()}
        return replace(self, **chosen)

    def table(self, times: Float[Tensor, " time"], replicas: int) -> Float[Tensor, "time column replica"]:
        """Inputs at these times, float64.

        Columns: J heavy metal, J magnet (A/m²), B_x, B_y, B_z (T), change of Ku (J/m³), and the strength of the local
        field if there is a profile of it.
        """
        if self.constant is not None:
            return self.constant.expand(len(times), -1, replicas)
        columns = [wave(times).expand(-1, replicas) for wave in self._columns]
        columns[5] = columns[5] * (0.0 if self.gate is None else self.gate.anisotropy_per_volt)
        return torch.stack(columns, dim=1)

    @property
    def _columns(self) -> list[Waveform]:
        """Waveforms of the columns of a table."""
        waves = self.waveforms
        if self.field_profile is None:
            del waves["local_field"]
        return list(waves.values())

    @cached_property
    def constant(self) -> Float[Tensor, "column replica"] | None:
        """Row of :meth:`table` if no signal changes in time (one column if common to all replicas), otherwise None."""
        waves = self._columns
        if any(len(wave.times) > 1 for wave in waves):
            return None
        rows = [wave.values[0] for wave in waves]
        rows[5] = rows[5] * (0.0 if self.gate is None else self.gate.anisotropy_per_volt)
        return torch.stack([row.expand(max(wave.replicas for wave in waves)) for row in rows])

    def inputs(self, row: Float[Tensor, "column replica"]) -> Inputs:
        """Row of :meth:`table` as the terms read it."""
        local = None if self.field_profile is None else row[6]
        return Inputs(row[0], row[1], row[2:5], row[5], local, self.current_direction)


def _check_times(name: str, wave: Waveform) -> None:
    """Raise :class:`InputError` if a signal changes so slowly that its times must be in another unit than s."""
    if len(wave.times) == 1:
        return
    gaps = wave.times.diff(dim=0)
    shortest = float(torch.where(gaps > 0, gaps, torch.inf).min())
    if shortest > KNOWN_QUANTITIES["pulse duration"].high:
        plausible("pulse duration", shortest, f"drive.{name}: shortest time between two knots")
