"""Parameters of a domain-wall neuron, read from a TOML file with ``kind = "neuron"``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, model_validator

from barkhausen.core.config import Parameters, Positive
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.parameters import DeviceParameters, check_drives, parameters_of_kind
from barkhausen.device.domain_wall.protocol import Duration, common_step


class NeuronProtocol(Parameters):
    """One integrate-fire-reset cycle: a wall is injected at the left, pulses move it, a junction detects it, and a
    reset pulse expels it at the right. SI units. All defaults are assumptions.

    All pulses of a cycle have one current density; cycles with different densities, and one without pulses for the
    leak, give the law of the neuron. The injection is not simulated: the wall is there, and relaxes before the first
    pulse.
    """

    values: Annotated[tuple[Positive, ...], Field(min_length=2, max_length=64)] = (2e11, 3e11, 4e11, 5e11)
    """Current densities of the pulses in the heavy metal in A/m²."""
    width: Annotated[Positive, checked_as("pulse duration")] = 0.3e-9
    """Duration of the plateau of a pulse in s."""
    edge_time: Duration = 0.05e-9
    """Rise and fall times in s, in addition to the plateau."""
    delay: Annotated[Positive, checked_as("pulse duration")] = 0.6e-9
    """Time in s from the end of a pulse to the next; the junction is read at its end."""
    pulses: Annotated[int, Field(ge=2, le=1024)] = 16
    """Number of pulses of a cycle."""
    start: Annotated[Positive, checked_as("length")] = 40e-9
    """Position of the injected wall in m."""
    threshold: Annotated[Positive, checked_as("length")] = 200e-9
    """Position in m beyond which the junction detects the wall."""
    reset_current_density: Annotated[Positive, checked_as("current density")] = 6e11
    """Current density of the reset pulse in A/m²."""
    reset_periods: Annotated[int, Field(ge=1, le=256)] = 4
    """Duration of the reset pulse, in periods of the pulses."""
    relax_periods: Annotated[int, Field(ge=1, le=256)] = 2
    """Time from the end of the reset pulse to its verification, in periods."""

    @property
    def period(self) -> float:
        """Time from pulse to pulse in s."""
        return self.width + 2 * self.edge_time + self.delay

    def step(self, advised: float) -> float:
        """Longest time step in s that divides pulse and delay, and is not above another.

        Args:
            advised: Largest step in s.
        """
        return common_step([self.width + 2 * self.edge_time, self.delay], advised)


class NeuronParameters(DeviceParameters):
    """Track, material, junction, and the cycle of a neuron."""

    neuron: NeuronProtocol = NeuronProtocol()

    @model_validator(mode="after")
    def _on_the_track(self) -> NeuronParameters:
        neuron, length = self.neuron, self.track.length
        if not 0 < neuron.start < neuron.threshold < length:
            raise ValueError(
                f"neuron.start = {neuron.start:g} and neuron.threshold = {neuron.threshold:g}: must follow each other "
                f"on the track of {length:g} m"
            )
        check_drives(neuron.values, "current density", "neuron.values")
        for name in ("protocol", "gate", "heat"):
            if name in self.model_fields_set:
                raise ValueError(f"{name}: has no meaning with kind = 'neuron'")
        stop = self.shape.end_stops
        if stop.sides == "both" and stop.length > 0 and stop.anisotropy > 0:
            raise ValueError(
                "shape.end_stops: keep a wall on the track that is to leave it at the right: sides = 'left'"
            )
        return self


def parameters_from(values: dict[str, Any], settings: Sequence[str], origin: str) -> NeuronParameters:
    """Parameters from the values of a parameter file, which assignments ``key=value`` change in place.

    Raises:
        InputError: A key or value is wrong.
    """
    return parameters_of_kind(NeuronParameters, values, settings, origin)
