"""Registry of device technologies: everything that the package needs to know about each.

Each entry is a :class:`Technology` in its own file. Device files, importers and commands use the entry; no other code
depends on the name of a technology.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from barkhausen.core.config import Parameters, apply_setting, read_toml, source_of, validated
from barkhausen.core.errors import InputError
from barkhausen.core.files.kinds import PARAMETERS, refuse_other_kind
from barkhausen.core.registry import Registry
from barkhausen.device.coordinate import StateCoordinate

if TYPE_CHECKING:
    import xarray as xr

    from barkhausen.device.characterised import CharacterisedDevice

DEFAULT_TECHNOLOGY = "domain-wall"
"""Technology of files and tables that name none, as in version 0.1.0."""

SHIPPED = Path(__file__).parent / "shipped"
"""Folder of the device files that come with the package, and of the parameter files they were made from."""


@dataclass(frozen=True)
class MeasuredValue:
    """One number in a table of measurements, with its line."""

    value: float
    where: str
    """Path and line, for messages."""


def conductances(column: str, measured: Sequence[MeasuredValue]) -> list[float]:
    """Conductances in S of a column ``conductance_s`` or ``resistance_ohm``.

    Raises:
        InputError: A resistance that is not positive.
    """
    if column != "resistance_ohm":
        return [item.value for item in measured]
    for item in measured:
        if not item.value > 0:
            raise InputError(f"{item.where}: resistance must be positive, got {item.value:g} ohm")
    return [1 / item.value for item in measured]


def check_conductances(
    measured: Sequence[MeasuredValue], values: Sequence[float], conductance_range: tuple[float, float], path: str
) -> None:
    """Refuse conductances outside their range.

    Args:
        measured: Values as they stand in the table, for messages.
        values: Conductances in S, in the same order.
        conductance_range: Smallest and greatest conductance in S.
        path: Table, for messages.

    Raises:
        InputError: The range does not rise or is negative, or a conductance lies outside it.
    """
    low, high = conductance_range
    if not 0 <= low < high:
        raise InputError(f"{path}: conductance range {low:g} to {high:g} S: must be rising and not negative")
    for item, value in zip(measured, values, strict=True):
        if not low <= value <= high:
            raise InputError(f"{item.where}: conductance {value:g} S lies outside {low:g} to {high:g} S")


@dataclass(frozen=True)
class Imported:
    """Measured values, converted to the state coordinate of a technology.

    Args:
        values: Values of the state coordinate, in the order in which they were given.
        assumed: Assumptions, a line each.
        options: Further keyword arguments of :attr:`Technology.labelled`.
    """

    values: Sequence[float]
    assumed: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Technology:
    """One kind of device.

    Args:
        name: Name in device files and parameter files, such as ``"domain-wall"``.
        label: Name in sentences, such as ``"domain-wall racetrack"``.
        coordinate: State coordinate.
        parameters: Model of the parameter file.
        causes: Causes of energy with the label of each.
        labelled: Function from values of the state coordinate [state, device, cycle] and parameters to a device; it
            takes ``source``, ``assumed``, ``moments``, ``attributes`` and options of its own.
        state_range: Function from parameters to the smallest and the greatest value that a state can have.
        assumed: Function from parameters to the assumptions behind them, a line each.
        columns: Names of the columns that can hold the values in a table of measurements, such as ``("position_m",)``.
        imported: Function from the name and the values of such a column, parameters and the option
            ``conductance_range`` to values of the state coordinate.
        characterise: Function that simulates an ensemble of devices. None for devices that cannot be simulated.
        declare: Function from parameters to a device whose states they declare. None for devices that are measured or
            simulated alone.
        variables: Further variables that device files of this technology must hold.
        extent: Name of the range of the state coordinate in sentences, such as ``"track"``.
        samples: What a device and a cycle of a simulated ensemble are, in sentences.
        size: Function from parameters to the size of a device in words, such as ``"512 × 64 nm"``.
        doubts: Function from parameters to sentences about values that nobody has reported.
        stability_at: Function from a device and a temperature in K to a data set with ``barrier`` (J) and
            ``attempt_frequency`` (Hz) of every state and device as a model computes them; only their ratio to those of
            another temperature is used. It gives None for a device whose barriers it cannot compute, such as a measured
            one. Default: barriers do not depend on the temperature.
    """

    name: str
    label: str
    coordinate: StateCoordinate
    parameters: type[Parameters]
    causes: Mapping[str, str]
    labelled: Callable[..., CharacterisedDevice]
    state_range: Callable[[Any], tuple[float, float]]
    assumed: Callable[[Any], list[str]]
    columns: Sequence[str] = ()
    imported: Callable[..., Imported] | None = None
    characterise: Callable[..., Any] | None = None
    declare: Callable[..., CharacterisedDevice] | None = None
    variables: Sequence[str] = ()
    extent: str = "range of the states"
    samples: str = ""
    size: Callable[[Any], str] | None = None
    doubts: Callable[[Any], list[str]] | None = None
    stability_at: Callable[[CharacterisedDevice, float], xr.Dataset | None] | None = None

    def simulated(self) -> Callable[..., Any]:
        """Function that simulates devices of this technology.

        Raises:
            InputError: Devices of this technology cannot be simulated.
        """
        if self.characterise is None:
            raise InputError(
                f"technology = {self.name!r}: characterisation does not apply, since a {self.label} is measured, not "
                "simulated; use import-device"
            )
        return self.characterise


TECHNOLOGIES: Registry[Technology] = Registry("device technology", "technology")
"""All technologies by name."""


def technology_of(parameters: Parameters) -> Technology:
    """The technology to which parameters belong.

    Raises:
        InputError: No technology has such parameters.
    """
    for entry in TECHNOLOGIES.values():
        if type(parameters) is entry.parameters:
            return entry
    raise InputError(f"parameters of the type {type(parameters).__name__} belong to no device technology")


def refuse_only_parameters(name: str) -> None:
    """Refuse the name of a device of which the package has the parameter file alone.

    Raises:
        InputError: It is such a name; the message says how the device is made.
    """
    if name in {file.stem for file in SHIPPED.glob("*.toml")} - {file.stem for file in SHIPPED.glob("*.nc")}:
        raise InputError(
            f"{name}: the package has its parameter file, but not the device: `barkhausen recipes {name} --out "
            f"{name}.toml`, then `barkhausen characterize {name}.toml --out {name}.nc`"
        )


def load_technology(path: str | Path, settings: Sequence[str] = ()) -> tuple[Technology, Parameters]:
    """Read a parameter file of any technology; its key ``technology`` names which.

    Args:
        path: TOML file.
        settings: Assignments ``key=value`` that replace values of the file.

    Raises:
        InputError: The file cannot be read, or a key or value in it is wrong.
    """
    path = Path(path)
    if str(path) in {file.stem for file in SHIPPED.glob("*.toml")} and not path.exists():
        raise InputError(
            f"{path}: no such file; `barkhausen recipes {path} --out FILE` copies that of the shipped device"
        )
    values = read_toml(path)
    refuse_other_kind(values, PARAMETERS, path)
    return technology_from(values, settings, str(path))


def technology_from(
    values: dict[str, Any], settings: Sequence[str] = (), origin: str = "parameters"
) -> tuple[Technology, Parameters]:
    """As :func:`load_technology`, from the values of a parameter file.

    Args:
        values: Nested dictionary, as read from TOML; assignments change it in place.
        settings: Assignments ``key=value`` that replace values.
        origin: Name of the source of the values, for messages.

    Raises:
        InputError: A key or value is wrong.
    """
    for setting in settings:
        apply_setting(values, setting)
    name = values.pop("technology", DEFAULT_TECHNOLOGY)
    if not isinstance(name, str):
        origin = source_of("technology", origin, settings)
        raise InputError(f"{origin}: technology = {name!r}: must be the name of a technology")
    try:
        entry = TECHNOLOGIES.named(name)
    except InputError as error:
        raise InputError(f"{source_of('technology', origin, settings)}: {error}") from None
    return entry, validated(entry.parameters, values, origin, settings)
