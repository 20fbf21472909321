"""Parameters of a domain-wall device, read from a TOML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from barkhausen.core.config import Parameters, Positive, apply_setting, read_toml, validated
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import checked_as, plausible, too_much_for_a_gate
from barkhausen.device.domain_wall.gates import Piezoelectric, TrackGate, gate_from
from barkhausen.device.domain_wall.heat.table import Heat
from barkhausen.device.domain_wall.interfaces import Interfaces
from barkhausen.device.domain_wall.interfaces.constants import resolved
from barkhausen.device.domain_wall.junction import TunnelJunction
from barkhausen.device.domain_wall.protocol import ProgrammingProtocol
from barkhausen.device.domain_wall.shape import TrackShape
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import Film, Gate, Material, material
from barkhausen.micromagnetics.material import source_in_words
from barkhausen.micromagnetics.temperature.averages import film_of_averages
from barkhausen.micromagnetics.temperature.bare import bare_constants, bare_film

DEFAULT_MATERIAL = "cofeb-tantalum"

MEASURED_AT = 300.0
"""Temperature in K at which the constants of a device's material are averages, where its file does not say."""

WRITTEN_BY_OLD = frozenset(
    {"saturation_magnetisation", "exchange_stiffness", "damping", "anisotropy", "dmi", "spin_hall_angle"}
    | {"field_like_ratio", "spin_polarisation", "non_adiabaticity", "source"}
)
"""Keys of a material that version 0.1.0 wrote. A table with all of them and no ``constants_at`` comes from a device
file or a design of before that key, whose constants were those of the cells."""

NAME = "domain-wall"
"""Name of the technology."""


class Characterisation(Parameters):
    """Settings of a characterisation: numbers of devices and cycles, cells, temperature."""

    devices: Annotated[int, Field(ge=1, le=4096)] = 16
    """Number of roughness realisations, which are physical devices."""
    cycles: Annotated[int, Field(ge=1, le=4096)] = 4
    """Number of programming events of each device in each state, each with its own thermal noise."""
    cell: Annotated[Positive, checked_as("cell size")] = 4e-9
    """Edge of the square cells in m."""
    temperature: Annotated[float, Field(ge=0, le=2000)] = 300.0
    """Temperature in K."""
    dt: Annotated[Positive, checked_as("time step")] | None = None
    """Time step in s. Default: chosen for the film."""
    integrator: Literal["auto", "heun", "splitting"] = "heun"
    """Integrator of the simulations."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """Seed of edges, noise and initial wall positions."""
    barriers: Literal["compact", "calibrated", "string"] = "compact"
    """Energy barriers of the states: of the compact model with its general calibration, with one by the paths of two
    devices of this design, or of micromagnetic paths of least energy of all devices."""


class DeviceParameters(Parameters):
    """Track, shape, material, gate, programming protocol and junction of one device."""

    track: Racetrack = Racetrack()
    shape: TrackShape = TrackShape()
    material: Material = material(DEFAULT_MATERIAL, constants_at=MEASURED_AT)
    gate: SerializeAsAny[TrackGate] = Piezoelectric()
    protocol: ProgrammingProtocol = ProgrammingProtocol()
    junction: TunnelJunction = TunnelJunction()
    characterisation: Characterisation = Characterisation()
    heat: Heat | None = None
    """Substrate and heat capacities. Default: pulses do not heat the track."""

    interfaces: Interfaces | None = None
    """Interfacial constants that gave Ku and D of the material; None: they were given directly. A parameter file has
    their keys in the table ``material``."""

    @model_validator(mode="before")
    @classmethod
    def _of_its_interfaces(cls, values: Any) -> Any:
        """Ku and D of the material, where its table gives interfacial constants."""
        return resolved(values)

    @field_validator("material", mode="before")
    @classmethod
    def _of_a_preset(cls, value: Any) -> Any:
        """The material: ``preset`` names one whose constants are replaced by other keys of the table."""
        if not isinstance(value, dict):
            return value
        constants = {"constants_at": 0.0 if value.keys() >= WRITTEN_BY_OLD else MEASURED_AT} | value
        name = constants.pop("preset", DEFAULT_MATERIAL)
        if not isinstance(name, str):
            raise ValueError(f"preset = {name!r}: must be the name of a material")
        try:
            base = material(name).model_dump()
        except InputError as error:
            raise ValueError(str(error)) from None
        if changed := sorted(value.keys() - {"preset", "constants_at"}):
            base["source"] += f"; changed: {', '.join(changed)}"
        return base | constants

    @field_validator("gate", mode="before")
    @classmethod
    def _of_its_kind(cls, value: Any) -> TrackGate:
        """The gate of the kind that the table names."""
        return gate_from(value)

    @model_serializer(mode="wrap")
    def _without_the_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Constants of the track that mean nothing with this gate would be refused when they are read again.
        values: dict[str, Any] = handler(self)
        for name in self.gate.unused_of_track:
            values.get("track", {}).pop(name, None)
        # Parameters of devices that were made before these tables stay the same text.
        return {key: value for key, value in values.items() if key not in {"heat", "interfaces"} or value is not None}

    @model_validator(mode="after")
    def _track_of_the_gate(self) -> DeviceParameters:
        for name in self.gate.unused_of_track:
            if name in self.track.model_fields_set:
                raise ValueError(f"track.{name}: means nothing with a gate of kind = {self.gate.kind!r}")
        return self

    @model_validator(mode="after")
    def _voltages_that_the_gate_stands(self) -> DeviceParameters:
        largest = self.gate.largest_voltage(self.track)
        given = {f"gate_voltages.{k}": voltage for k, voltage in enumerate(self.protocol.gate_voltages or ())}
        for name, voltage in {**given, "reset_voltage": self.protocol.reset_voltage}.items():
            if largest is not None and (line := too_much_for_a_gate(voltage, largest)) is not None:
                raise ValueError(f"protocol.{name} = {line}")
        return self

    def film(
        self,
        *,
        devices: int | None = None,
        cell: float | None = None,
        seed: int | None = None,
        temperature: float | None = None,
    ) -> Film:
        """The films of the devices for a simulation. Default: number, cells, seed and temperature of
        ``characterisation``.

        The cells have bare constants, whose averages at the temperature are those of the material
        (:func:`~barkhausen.micromagnetics.temperature.bare.bare_film`), or the material's own if its ``constants_at``
        is 0.

        Raises:
            InputError: The shape is impossible for a film, or its constants at the temperature are.
        """
        kelvin = self.characterisation.temperature if temperature is None else temperature
        return bare_film(self._measured_film(devices, cell, seed), kelvin)

    def film_at(
        self, temperature: float, *, devices: int | None = None, cell: float | None = None, seed: int | None = None
    ) -> Film:
        """The films of the devices with the *averages* of their constants at a temperature, for energies of walls.

        The energy of a wall at T = 0 on this film is its free energy at the temperature. With ``constants_at = 0`` the
        constants of the cells are softened by the spin waves of the mesh (:func:`.thermal_order`).

        Args:
            temperature: Temperature in K.
            devices, cell, seed: As in :meth:`film`.

        Raises:
            InputError: The shape is impossible for a film, or its constants at the temperature are.
        """
        return film_of_averages(self._measured_film(devices, cell, seed), temperature)

    def gate_of_simulation(self, temperature: float | None = None) -> Gate:
        """The gate for a simulation on :meth:`film`: its change of Ku is scaled to the bare one of the cells.

        Args:
            temperature: Temperature in K. Default: that of ``characterisation``.

        Raises:
            InputError: The constants at the temperature are impossible for a film.
        """
        gate, cell = self.gate.on(self.track), self.characterisation.cell
        if self.material.constants_at == 0:
            return gate
        kelvin = self.characterisation.temperature if temperature is None else temperature
        bare = bare_constants(self.material, cell, self.track.thickness, kelvin)
        return self.gate_at(kelvin).scaled(bare.anisotropy_factor)

    def gate_at(self, temperature: float) -> Gate:
        """The gate for energies of walls on :meth:`film_at` with ``constants_at`` above 0: its change of Ku follows
        Ku.

        Args:
            temperature: Temperature in K.

        Raises:
            InputError: The temperature is not below the Curie temperature.
        """
        gate = self.gate.on(self.track)
        ratio = self.material.at(temperature).anisotropy / self.material.anisotropy if self.material.anisotropy else 1.0
        return gate if ratio == 1 else gate.scaled(ratio)

    def _measured_film(self, devices: int | None, cell: float | None, seed: int | None) -> Film:
        """The films with the constants of the material as they are given."""
        how = self.characterisation
        return self.shape.film(
            self.track,
            self.material,
            cell=how.cell if cell is None else cell,
            devices=how.devices if devices is None else devices,
            seed=how.seed if seed is None else seed,
        )

    def with_thickness(self, thickness: float) -> DeviceParameters:
        """The same device with a film of another thickness in m, with Ku and D by its interfaces if they give them."""
        track = self.track.model_copy(update={"thickness": thickness})
        constants = {} if self.interfaces is None else self.interfaces.volume_constants(thickness)
        return self.model_copy(update={"track": track, "material": self.material.model_copy(update=constants)})

    def require_length(self, why: str) -> None:
        """Refuse parameters that leave the length of the track at its default.

        Args:
            why: What the length is needed for.

        Raises:
            InputError: The length was not given.
        """
        if "track" not in self.model_fields_set or "length" not in self.track.model_fields_set:
            raise InputError(
                f"track.length is needed, since {why}: give it in a parameter file, with --set track.length=320e-9, or "
                "in Python with DeviceParameters(track=Racetrack(length=320e-9))"
            )

    def assumed(self) -> list[str]:
        """Assumptions, a line each: electrical parameters at defaults that are not published values."""
        lines = []
        unused = self.gate.unused_of_track
        for part, values in (("track", self.track), ("junction", self.junction)):
            lines += [
                f"{part}.{name} = {value:g} (default)"
                for name, value in values.model_dump().items()
                if name not in values.model_fields_set and name not in unused
            ]
        lines += self.gate.assumed("gate" in self.model_fields_set)
        for part in ("reset", "program"):
            pulse: BaseModel = getattr(self.protocol, part)
            if part not in self.protocol.model_fields_set:
                lines += [f"protocol.{part}.{k} = {v:g} (default)" for k, v in pulse.model_dump().items()]
        if self.protocol.gate_voltages is None:
            lines.append("protocol.gate_voltages evenly spaced from -0.5 V to 0.5 V (default)")
        return lines

    def _assumed_of_constants(self) -> list[str]:
        """Temperature at which the constants hold, and what the cells have for it."""
        material, how = self.material, self.characterisation
        if material.constants_at == 0:
            return ["constants: those of the cells, whose thermal fluctuations soften them (constants_at = 0)"]
        bare = bare_constants(material, how.cell, self.track.thickness, how.temperature)
        mesh = bare.material
        lines = [
            f"constants: averages at {material.constants_at:g} K; cells of {1e9 * how.cell:g} nm have for "
            f"{how.temperature:g} K Ms {mesh.saturation_magnetisation:.4g} A/m, A {mesh.exchange_stiffness:.4g} J/m, "
            f"Ku {mesh.anisotropy:.4g} J/m3, D {mesh.dmi:.4g} J/m2 (m = {bare.softening.order:.4f})"
        ]
        if how.temperature != material.constants_at:
            lines.append(
                f"constants: scaled from {material.constants_at:g} K by Kuz'min's law with a Curie temperature of "
                f"{material.curie_temperature:g} K (assumed unless given); Ku, A and D go as Ms to the power of "
                f"{material.anisotropy_exponent:g}, {material.exchange_exponent:g} and {material.dmi_exponent:g}"
            )
        return lines

    def assumed_of_simulation(self) -> list[str]:
        """The further assumptions of a simulated device, a line each."""
        edges, stop = self.shape.roughness, self.shape.end_stops
        lines = [
            f"material: {source_in_words(self.material.source) or 'as given'}",
            f"edges: {1e9 * edges.rms:g} nm rms, correlated over {1e9 * edges.correlation_length:g} nm",
            self.gate.described(self.track),
            *self._assumed_of_constants(),
        ]
        interfaces = None if self.interfaces is None else self.interfaces.described(self.track.thickness)
        if interfaces is not None:
            lines.insert(1, interfaces)
        if self.shape.patches is not None:
            lines.append(self.shape.patches.described())
        if self.heat is not None:
            lines.append(self.heat.described(self.gate.below(self.track)))
        if stop.length > 0 and stop.anisotropy > 0:
            where = "either end" if stop.sides == "both" else "the left end"
            lines.append(f"ends: Ku raised by {stop.anisotropy:g} J/m3 over {1e9 * stop.length:g} nm at {where}")
        return lines


Kind = TypeVar("Kind", bound=DeviceParameters)


def load_parameters(path: str | Path, settings: Sequence[str] = ()) -> DeviceParameters:
    """Read device parameters from TOML; its tables are the fields of :class:`DeviceParameters`.

    Args:
        path: TOML file.
        settings: Assignments ``key=value`` that replace values of the file, such as ``track.width=48e-9``.

    Raises:
        InputError: The file cannot be read, or a key or value in it is wrong.
    """
    path = Path(path)
    return parameters_from(read_toml(path), settings, str(path))


def parameters_of_kind(model: type[Kind], values: dict[str, Any], settings: Sequence[str], origin: str) -> Kind:
    """Parameters of a kind of device with a protocol of its own, from the values of a parameter file, which assignments
    ``key=value`` change in place.

    Raises:
        InputError: A key or value is wrong; the message begins with ``origin``.
    """
    for setting in settings:
        apply_setting(values, setting)
    given = {key: value for key, value in values.items() if key != "kind"}
    # Another technology is refused as a key that the model does not have.
    if given.get("technology") == NAME:
        del given["technology"]
    return validated(model, given, origin, settings)


def check_drives(values: Sequence[float], kind: str, key: str) -> None:
    """Refuse drives that do not rise or are implausible.

    Args:
        values: Amplitudes.
        kind: Kind of quantity that they are, of :func:`.plausible`.
        key: Key of the parameter file.

    Raises:
        ValueError: The message begins with the key.
    """
    if list(values) != sorted(set(values)):
        raise ValueError(f"{key}: must rise")
    for number, value in enumerate(values):
        try:
            plausible(kind, value, f"{key}.{number}")
        except InputError as error:
            raise ValueError(str(error)) from None


def parameters_from(values: dict[str, Any], settings: Sequence[str], origin: str) -> DeviceParameters:
    """As :func:`load_parameters`, from the values of a parameter file, which assignments change in place.

    Raises:
        InputError: A key or value is wrong; the message begins with ``origin``.
    """
    for setting in settings:
        apply_setting(values, setting)
    technology = values.pop("technology", NAME)
    if technology != NAME:
        raise InputError(f"{origin}: technology = {technology!r}: must be {NAME!r} here")
    return validated(DeviceParameters, values, origin, settings)
