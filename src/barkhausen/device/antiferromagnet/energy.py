"""Energy of a neuron by operation, every factor of it, and of one leaky-integrate-fire operation."""

from __future__ import annotations

from dataclasses import dataclass

from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters
from barkhausen.device.neuron.device import Joules


@dataclass(frozen=True)
class Operation:
    """One integrate-fire-reset operation.

    Attributes:
        input: Input, relative to the current density of the train.
        pulses: Pulses until the neuron fires.
        current_density: J of a pulse in A/m².
        width: Duration of a pulse in s.
        resistivity: In ohm m.
        volume: Volume of the heavy metal in m³.
        reset_current_density: In A/m².
        reset_time: In s.
        reads: Number of reads.
        read: Energy of one read in J.
    """

    input: float
    pulses: float
    current_density: float
    width: float
    resistivity: float
    volume: float
    reset_current_density: float
    reset_time: float
    reads: float
    read: float

    @property
    def integrating(self) -> float:
        """rho J² V tau of all pulses, in J."""
        return self.resistivity * self.current_density**2 * self.volume * self.width * self.pulses

    @property
    def resetting(self) -> float:
        """rho J² V tau of the reset, in J."""
        return self.resistivity * self.reset_current_density**2 * self.volume * self.reset_time

    @property
    def reading(self) -> float:
        """V² G tau of all reads, in J."""
        return self.reads * self.read

    @property
    def writing(self) -> float:
        """Energy of the currents in J: what ``rho J² V tau`` of a cycle is."""
        return self.integrating + self.resetting

    @property
    def total(self) -> float:
        """Energy with reads in J."""
        return self.writing + self.reading


def read_energy(parameters: AntiferromagnetParameters) -> float:
    """Energy in J of one read of the empty window, V² G tau with the layer antiparallel to the fixed one."""
    junction = parameters.junction
    return junction.read_energy(junction.antiparallel_conductance(parameters.detector_area))


def operation(parameters: AntiferromagnetParameters, value: float, pulses: float) -> Operation:
    """One operation at an input.

    Args:
        parameters: Parameters of the device.
        value: Input.
        pulses: Mean number of pulses until the neuron fires.
    """
    return Operation(
        input=value,
        pulses=pulses,
        current_density=value * parameters.train.current_density,
        width=parameters.train.width,
        resistivity=parameters.conductor.resistivity,
        volume=parameters.conductor_volume,
        reset_current_density=parameters.reset.current_density,
        reset_time=parameters.reset.periods * parameters.train.period if parameters.reset.current_density else 0.0,
        reads=pulses,
        read=read_energy(parameters),
    )


def energies(parameters: AntiferromagnetParameters) -> dict[str, Joules]:
    """Energies by cause, a pulse at the largest input."""
    one = operation(parameters, max(parameters.train.inputs), 1.0)
    return {
        "pulse": Joules("pulse", one.integrating, 2.0, "integrating pulse"),
        "read": Joules("read", one.read, 0.0, "read"),
        "reset": Joules("reset", one.resetting, 0.0, "reset"),
    }
