"""Material parameters of a thin film with perpendicular anisotropy, and quantities derived from them."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from barkhausen.core.config import Parameters, Positive, Real
from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.plausible import checked_as
from barkhausen.core.units import VACUUM_PERMEABILITY


def _normalised(value: tuple[float, float, float]) -> tuple[float, float, float]:
    norm = math.sqrt(sum(component * component for component in value))
    if not (math.isfinite(norm) and norm > 0):
        raise PydanticCustomError("direction", "must be three finite numbers, not all zero")
    x, y, z = (component / norm for component in value)
    return x, y, z


Direction = Annotated[tuple[float, float, float], AfterValidator(_normalised)]
"""Unit vector, normalised on input."""


KUZMIN = 0.35
"""s of Kuz'min's law, that of iron."""

LAWS = ("constants_at", "curie_temperature", "anisotropy_exponent", "exchange_exponent", "dmi_exponent")
"""Fields that say at which temperature the constants hold, and how they change with it."""


class Material(Parameters):
    """Constants of the ferromagnet and of the torques that drive it; SI units.

    Raises:
        InputError: A constant that is missing, out of its range, or unknown.
    """

    saturation_magnetisation: Annotated[Positive, checked_as("saturation magnetisation")]
    """Ms in A/m."""
    exchange_stiffness: Annotated[Positive, checked_as("exchange stiffness")]
    """A in J/m."""
    damping: Annotated[float, Field(ge=0, le=10, allow_inf_nan=False), checked_as("damping")]
    """Gilbert damping alpha; 0 (energy is conserved) for the adaptive integrator alone."""
    anisotropy: Annotated[Real, checked_as("anisotropy")] = 0.0
    """First-order uniaxial anisotropy Ku along ``easy_axis`` in J/m³."""
    dmi: Annotated[Real, checked_as("DMI constant")] = 0.0
    """Interfacial Dzyaloshinskii-Moriya constant D in J/m² (mumax3's ``Dind``)."""
    spin_hall_angle: Annotated[Real, checked_as("spin Hall angle")] = 0.0
    """theta_SH of the heavy metal: damping-like spin-orbit torque."""
    field_like_ratio: Annotated[Real, checked_as("torque ratio")] = 0.0
    """Field-like over damping-like spin-orbit field."""
    spin_polarisation: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """P of the current in the ferromagnet (Zhang-Li torque)."""
    non_adiabaticity: Annotated[Real, checked_as("torque ratio")] = 0.0
    """xi of the Zhang-Li torque."""
    easy_axis: Direction = (0.0, 0.0, 1.0)
    """Easy axis of Ku; unit vector, normalised on input. Default: out of the plane."""
    cubic_anisotropy: Annotated[Real, checked_as("anisotropy")] = 0.0
    """First-order cubic anisotropy Kc in J/m³ (positive: easy along the axes)."""
    cubic_axis_1: Direction = (1.0, 0.0, 0.0)
    cubic_axis_2: Direction = (0.0, 1.0, 0.0)
    """Two of the three cubic axes, perpendicular to each other; the third is their cross product."""
    constants_at: Annotated[float, Field(ge=0, le=2000)] = 0.0
    """Temperature in K at which Ms, A, Ku and D are averages, as measured. 0: they are given to the cells of any mesh
    as they are, as in standard problems, and thermal fluctuations soften them."""
    curie_temperature: Annotated[Positive, Field(le=2000)] = 750.0
    """Curie temperature in K of the law of Ms(T) (:meth:`at`). Default: assumed, for 1 to 2 nm of CoFeB."""
    anisotropy_exponent: Annotated[float, Field(ge=0, le=10)] = 2.2
    """Ku is proportional to Ms(T) to this power. Default: about that of Ta/CoFeB/MgO (Alzate et al., Appl. Phys. Lett.
    104, 112410 (2014)); 3 for ideal interfaces, less with dead layers (Ibrahim et al., arXiv:2011.02220)."""
    exchange_exponent: Annotated[float, Field(ge=0, le=10)] = 1.8
    """The same for A. Default: that of atomistic models of cobalt (Moreno et al., Phys. Rev. B 94, 104433 (2016))."""
    dmi_exponent: Annotated[float, Field(ge=0, le=10)] = 1.8
    """The same for D. Default: assumed to be that of A, as for two neighbours with fixed D."""
    source: str = ""
    """Source of the values."""

    @model_validator(mode="after")
    def _cubic_axes_are_perpendicular(self) -> Material:
        product = sum(a * b for a, b in zip(self.cubic_axis_1, self.cubic_axis_2, strict=True))
        if abs(product) > 1e-6:
            raise PydanticCustomError("axes", "cubic_axis_1 and cubic_axis_2 must be perpendicular to each other")
        return self

    def stated(self) -> dict[str, object]:
        """Constants by name, without directions and cubic constants that have their default."""
        later = ("easy_axis", "cubic_anisotropy", "cubic_axis_1", "cubic_axis_2", *LAWS)
        values = {name: getattr(self, name) for name in type(self).model_fields}
        default = {name: type(self).model_fields[name].default for name in later}
        return {name: value for name, value in values.items() if name not in later or value != default[name]}

    @model_validator(mode="after")
    def _ordered_where_measured(self) -> Material:
        if self.constants_at > 0 and not self.constants_at < self.curie_temperature:
            raise PydanticCustomError(
                "temperature",
                "constants_at = {at} K must be below curie_temperature = {curie} K",
                {"at": f"{self.constants_at:g}", "curie": f"{self.curie_temperature:g}"},
            )
        return self

    def order(self, temperature: float) -> float:
        """Ms(T)/Ms(0) by Kuz'min's law, [1 − s tau^(3/2) − (1 − s) tau^(5/2)]^(1/3), tau = T/Tc and s = 0.35.

        Kuz'min, Phys. Rev. Lett. 94, 107204 (2005), where s is 0.35 for iron and 0.11 for cobalt.

        Raises:
            InputError: The temperature is negative, or not below the Curie temperature.
        """
        tau = temperature / self.curie_temperature
        if not 0 <= tau < 1:
            raise InputError(
                f"temperature = {temperature:g} K: must be 0 or more and below material.curie_temperature = "
                f"{self.curie_temperature:g} K"
            )
        return float((1 - KUZMIN * tau**1.5 - (1 - KUZMIN) * tau**2.5) ** (1 / 3))

    def at(self, temperature: float) -> Material:
        """The material with its constants scaled from ``constants_at`` to another temperature by its laws.

        With r = Ms(T)/Ms(constants_at): Ms r, Ku r^anisotropy_exponent, A r^exchange_exponent, D r^dmi_exponent. A
        material with ``constants_at = 0`` has no laws and is returned as it is.

        Args:
            temperature: Temperature in K.

        Raises:
            InputError: The temperature is negative, or not below the Curie temperature.
        """
        if self.constants_at in (0, temperature):
            return self
        ratio = self.order(temperature) / self.order(self.constants_at)
        return self.model_copy(
            update={
                "saturation_magnetisation": ratio * self.saturation_magnetisation,
                "exchange_stiffness": ratio**self.exchange_exponent * self.exchange_stiffness,
                "anisotropy": ratio**self.anisotropy_exponent * self.anisotropy,
                "dmi": ratio**self.dmi_exponent * self.dmi,
                "constants_at": temperature,
            }
        )

    @property
    def is_perpendicular(self) -> bool:
        """Whether the easy axis of Ku is out of the plane."""
        return abs(self.easy_axis[2]) == 1.0

    @property
    def effective_anisotropy(self) -> float:
        """Keff = Ku u_z² − mu0 Ms²/2 of an infinite thin film with the easy axis u, J/m³."""
        return self.anisotropy * self.easy_axis[2] ** 2 - 0.5 * VACUUM_PERMEABILITY * self.saturation_magnetisation**2

    @property
    def wall_width(self) -> float:
        """Wall width parameter Delta = sqrt(A/Keff) in m.

        Raises:
            InputError: The easy axis is in the plane, so there is no such wall.
        """
        if self.effective_anisotropy <= 0:
            shape = 0.5 * VACUUM_PERMEABILITY * self.saturation_magnetisation**2
            raise InputError(
                f"anisotropy = {self.anisotropy:g} J/m3: below mu0 Ms²/2 = {shape:g}, the film has no perpendicular "
                "domain wall"
            )
        return math.sqrt(self.exchange_stiffness / self.effective_anisotropy)

    @property
    def wall_energy(self) -> float:
        """Energy of a Néel wall of the preferred chirality, 4 sqrt(A Keff) − pi |D|, in J/m²."""
        return 4.0 * self.exchange_stiffness / self.wall_width - math.pi * abs(self.dmi)

    @property
    def exchange_length(self) -> float:
        """sqrt(2 A/(mu0 Ms²)) in m."""
        return math.sqrt(2 * self.exchange_stiffness / (VACUUM_PERMEABILITY * self.saturation_magnetisation**2))

    @property
    def dmi_field(self) -> float:
        """Field that the DMI exerts on the magnetisation in the wall, D/(Ms Delta), in T (Thiaville 2012)."""
        return self.dmi / (self.saturation_magnetisation * self.wall_width)


_PRESETS = {
    "cofeb-tantalum": Material(
        saturation_magnetisation=1.0e6, exchange_stiffness=1.5e-11, damping=0.03, anisotropy=0.8e6, dmi=0.6e-3,
        spin_hall_angle=0.15,
        source="assumed; within the ranges reported for Ta/CoFeB/MgO (Ms 0.8-1.1e6, A 1.0-1.5e-11, alpha 0.02-0.05, "
        "Ku 0.75-0.8e6, D 0.24-1.0e-3, theta_SH 0.1-0.33)",
    ),
    "cofeb-tungsten": Material(
        saturation_magnetisation=1.0e6, exchange_stiffness=1.5e-11, damping=0.05, anisotropy=0.83e6, dmi=0.24e-3,
        spin_hall_angle=0.3,
        source="assumed; within the ranges reported for W/CoFeB/MgO and Ta/CoFeB/MgO (Ms 0.8-1.1e6, A 1.0-1.5e-11, "
        "alpha 0.02-0.05, D 0.24-1.0e-3, theta_SH 0.1-0.33 with beta-W at the upper end)",
    ),
    "cobalt-platinum": Material(
        saturation_magnetisation=1.1e6, exchange_stiffness=1.6e-11, damping=0.3, anisotropy=1.27e6, dmi=2.0e-3,
        spin_hall_angle=0.1,
        source="Pt/Co/AlOx as in Rohart and Thiaville, Phys. Rev. B 88, 184422 (2013); D, alpha and theta_SH assumed",
    ),
    "permalloy": Material(
        saturation_magnetisation=8.0e5, exchange_stiffness=1.3e-11, damping=0.02,
        source="muMAG standard problem 4",
    ),
}  # fmt: skip


def source_in_words(line: str) -> str:
    """A source of constants, with those that were changed named first: the rest of the source is not about them.

    Args:
        line: ``Material.source``, or a line that ends with it.
    """
    source, changed, names = line.partition("; changed: ")
    if not changed:
        return line
    label, colon, source = source.partition(": ") if source.startswith("material: ") else ("", "", source)
    return f"{label}{colon}{names} as given; other constants of the preset: {source}"


def material_names() -> list[str]:
    """Names of the material presets."""
    return sorted(_PRESETS)


def material(name: str, **changes: float) -> Material:
    """Material preset, with some constants replaced.

    Args:
        name: Name from :func:`material_names`.
        **changes: Constants of :class:`Material` to replace.

    Raises:
        InputError: There is no such preset or no such constant, or one is out of its range.
    """
    if name not in _PRESETS:
        raise InputError(f"no material preset '{name}'{did_you_mean(name, _PRESETS)}")
    for key in changes:
        if key not in Material.model_fields:
            raise InputError(f"material '{name}': no constant '{key}'{did_you_mean(key, Material.model_fields)}")
    values = _PRESETS[name].model_dump() | changes
    if changes:
        values["source"] = f"{_PRESETS[name].source}; changed: {', '.join(sorted(changes))}"
    return Material(**values)
