"""Interfacial constants, which give Ku and D of a film by its thickness."""

from __future__ import annotations

import math
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BeforeValidator, field_validator
from pydantic_core import PydanticCustomError

from barkhausen.core.config import Parameters, Real, validated
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.interfaces.stacks import stack_named
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import Material

KEYS = ("stack", "interfacial_anisotropy", "bulk_anisotropy", "interfacial_dmi")
"""Keys of a table of material that belong to its interfaces."""


TWICE = (
    ("anisotropy", "Ku", "interfacial_anisotropy"),
    ("anisotropy", "Ku", "bulk_anisotropy"),
    ("dmi", "D", "interfacial_dmi"),
)
"""Constants of a material, their symbols, and the interfacial constants that give them too."""

Each = float | tuple[float, float]
"""Constant of both interfaces together, or of the lower and the upper one."""


def _each(quantity: str) -> BeforeValidator:
    """Validator of such a constant."""
    check = checked_as(quantity).func

    def read(value: Any) -> Each | None:
        if value is None:
            return None
        parts = tuple(value) if isinstance(value, list | tuple) else (value,)
        numbers = [part for part in parts if isinstance(part, int | float) and not isinstance(part, bool)]
        if len(numbers) != len(parts) or len(parts) not in {1, 2} or not all(map(math.isfinite, numbers)):
            raise PydanticCustomError("interfaces", "must be a number, or two for the lower and the upper interface")
        for part in numbers:
            check(float(part))  # type: ignore[call-arg]
        return float(numbers[0]) if len(numbers) == 1 else (float(numbers[0]), float(numbers[1]))

    return BeforeValidator(read)


class Interfaces(Parameters):
    """Constants of the two interfaces of a film, divided by its thickness t: Ku = K_v + K_i/t, D = D_i/t.

    A constant is that of both interfaces together, or ``[lower, upper]``, whose sum counts.
    """

    stack: str = ""
    """Name of the stack of layers, one of :data:`.STACKS`, whose reported ranges the device is held against; empty:
    none."""
    interfacial_anisotropy: Annotated[Each | None, _each("interfacial anisotropy")] = None
    """K_i in J/m². Default: Ku is given directly."""
    bulk_anisotropy: Annotated[Real, checked_as("anisotropy")] | None = None
    """K_v in J/m³, of a multilayer or an alloy. Default: 0, or Ku itself if nothing is given."""
    interfacial_dmi: Annotated[Each | None, _each("interfacial DMI")] = None
    """D_i in J/m. Default: D is given directly."""

    @field_validator("stack")
    @classmethod
    def _known(cls, name: str) -> str:
        if name:
            stack_named(name)
        return name

    def volume_constants(self, thickness: float) -> dict[str, float]:
        """Ku in J/m³ (``anisotropy``) and D in J/m² (``dmi``), whichever the interfaces give.

        Args:
            thickness: Thickness of the film in m.
        """
        constants = {}
        if self.interfacial_anisotropy is not None or self.bulk_anisotropy is not None:
            constants["anisotropy"] = (self.bulk_anisotropy or 0.0) + total(self.interfacial_anisotropy) / thickness
        if self.interfacial_dmi is not None:
            constants["dmi"] = total(self.interfacial_dmi) / thickness
        return constants

    def described(self, thickness: float) -> str | None:
        """The constants, as a line of the assumptions of a simulation; None if there are none."""
        parts = []
        if self.interfacial_anisotropy is not None:
            parts.append(f"K_i = {_listed(self.interfacial_anisotropy, 1e3)} mJ/m2")
        if self.bulk_anisotropy is not None:
            parts.append(f"K_v = {1e-6 * self.bulk_anisotropy:g} MJ/m3")
        if self.interfacial_dmi is not None:
            parts.append(f"D_i = {_listed(self.interfacial_dmi, 1e12)} pJ/m")
        if not parts:
            return None
        return f"interfaces: {', '.join(parts)} on {1e9 * thickness:g} nm"


def total(value: Each | None) -> float:
    """Sum over both interfaces; 0 if nothing is given."""
    return sum(value) if isinstance(value, tuple) else value or 0.0


def _listed(value: Each, factor: float) -> str:
    parts = value if isinstance(value, tuple) else (value,)
    return " + ".join(f"{factor * part:g}" for part in parts)


def resolved(values: Any) -> Any:
    """Tables of a device in which Ku and D of the material are numbers, and its interfaces a table of their own.

    Args:
        values: Tables before they are validated. Anything else, and tables without interfacial constants, come back as
            they are.

    Raises:
        ValueError: A constant is wrong, or Ku or D is given twice.
    """
    table = values.get("material") if isinstance(values, dict) else None
    if not isinstance(table, dict):
        return values
    for key in table.keys() - Material.model_fields.keys() - {"preset", *KEYS}:
        if meant := get_close_matches(str(key), KEYS, 1, 0.8):
            raise ValueError(f"unknown key 'material.{key}'; did you mean 'material.{meant[0]}'?")
    if not any(key in table for key in KEYS):
        return values
    if "interfaces" in values:
        raise ValueError("interfaces: the interfaces of the film are given in the table 'material'")
    interfaces = validated(Interfaces, {key: table[key] for key in KEYS if key in table}, "material")
    for name, symbol, other in TWICE:
        if name in table and other in table:
            raise ValueError(f"material.{name} and material.{other} both give {symbol}: give one of them")
    rest = {key: value for key, value in table.items() if key not in KEYS}
    constants = interfaces.volume_constants(_thickness_of(values.get("track")))
    return values | {"material": rest | constants, "interfaces": interfaces}


def _thickness_of(track: Any) -> float:
    """Thickness in m of the film of a track that has not been validated; the default where it is no length."""
    given = track.get("thickness") if isinstance(track, dict) else getattr(track, "thickness", None)
    return float(given) if isinstance(given, int | float) and given > 0 else Racetrack().thickness
