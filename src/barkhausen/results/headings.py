"""Headings of tables for readers: words and units in place of the names of columns and keys."""

from __future__ import annotations

from collections.abc import Sequence

from barkhausen.experiment.jobs import JOBS, Column

UNITS = {
    "m": (
        "length",
        "width",
        "thickness",
        "depth",
        "half_length",
        "rms",
        "correlation_length",
        "cell",
        "size",
        "notch.position",
    ),
    "s": ("program.width", "reset.width", "edge_time", "settle", "gate_hold", "relaxation", "read_time", "dt"),
    "K": ("temperature",),
    "V": ("gate_voltages", "reset_voltage", "read_voltage", "voltage"),
    "A/m²": ("current_density",),
    "A/m": ("saturation_magnetisation",),
    "J/m³": ("anisotropy",),
    "J/m²": ("dmi",),
    "J/m⁴": ("anisotropy_gradient",),
    "J/m": ("exchange_stiffness",),
    "Pa": ("youngs_modulus",),
    "m/V": ("piezoelectric_coefficient",),
    "Ω m": ("heavy_metal_resistivity",),
    "Ω m²": ("resistance_area",),
}
"""Units of keys by their ends; the longest end that fits counts."""

CAUSE_UNITS = {"picojoule": "pJ", "femtojoule": "fJ"}
"""Units by the last part of columns of energy by cause."""

_BY_END = {tuple(end.split(".")): unit for unit, ends in UNITS.items() for end in ends}
_LONGEST = max(map(len, _BY_END))


def column_title(name: str) -> str:
    """A column of results in words, with its unit, such as ``Programming energy (pJ per sample and epoch)``."""
    column = _column(name)
    return _capital(name.replace("_", " ") if column is None else column.title)


def column_label(name: str) -> str:
    """A column of results in words, without a unit."""
    column = _column(name)
    return _capital(name.replace("_", " ") if column is None else column.label or name.replace("_", " "))


def key_titles(keys: Sequence[str]) -> list[str]:
    """Keys in words, with their units: the last part of each, or all of it where two would have one name."""
    names = short_names(keys)
    titles = []
    for key in keys:
        unit = unit_of(key)
        name = _capital(names[key].replace(".", " "))
        titles.append(f"{name} ({unit})" if unit else name)
    return titles


def short_names(keys: Sequence[str]) -> dict[str, str]:
    """The last part of each dotted key, or all of it where two would have one name."""
    last = [last_name(key) for key in keys]
    return {
        key: (name if last.count(name) == 1 else key).replace("_", " ") for key, name in zip(keys, last, strict=True)
    }


def last_name(key: str) -> str:
    """The last part of a dotted key; an entry of a list, such as ``hidden.0``, with the name of its list."""
    parts = key.split(".")
    return ".".join(parts[-2:]) if parts[-1].isdigit() else parts[-1]


def unit_of(key: str) -> str:
    """Unit of a key; empty if it has none or none is known."""
    parts = key.split(".")
    for length in range(min(_LONGEST, len(parts)), 0, -1):
        unit = _BY_END.get(tuple(parts[-length:]))
        if unit is not None:
            return unit
    return ""


def _column(name: str) -> Column | None:
    for job in JOBS.values():
        for column in job.every_column:
            if column.name == name:
                return column
        cause = name.removesuffix(f"_{job.cause_unit}")
        if cause != name:
            label = job.cause_labels.get(cause, cause.replace("_", " "))
            return Column(name, f"energy: {label}", unit=CAUSE_UNITS.get(job.cause_unit, job.cause_unit))
    return None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
