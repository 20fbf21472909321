"""The parameters of one device, and the TOML file a user writes them in."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from barkhausen.device.pulse import ProgrammingProtocol
from barkhausen.device.racetrack import Racetrack
from barkhausen.device.readout import TunnelJunction
from barkhausen.validation import read_toml, validated


class DeviceParameters(BaseModel):
    """Track, programming protocol and junction of one device."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    track: Racetrack = Racetrack()
    protocol: ProgrammingProtocol = ProgrammingProtocol()
    junction: TunnelJunction = TunnelJunction()

    def assumed(self) -> list[str]:
        """One line for each parameter left at a default that is our assumption, not a published value."""
        lines = []
        for part, values in (("track", self.track), ("junction", self.junction)):
            lines += [
                f"{part}.{name} = {value:g} (default)"
                for name, value in values.model_dump().items()
                if name not in values.model_fields_set
            ]
        for part in ("reset", "program"):
            pulse: BaseModel = getattr(self.protocol, part)
            if part not in self.protocol.model_fields_set:
                lines += [f"protocol.{part}.{k} = {v:g} (default)" for k, v in pulse.model_dump().items()]
        if self.protocol.gate_voltages is None:
            lines.append("protocol.gate_voltages evenly spaced from -0.5 V to 0.5 V (default)")
        return lines


def load_parameters(path: Path) -> DeviceParameters:
    """Read device parameters from TOML with the tables ``track``, ``protocol`` and ``junction``.

    Raises:
        InputError: the file cannot be read, or a key or value in it is wrong.
    """
    return validated(DeviceParameters, read_toml(path), str(path))
