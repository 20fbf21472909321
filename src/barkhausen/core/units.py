"""Physical constants and SI prefixes; SI units (CODATA 2018; the gyromagnetic ratio is that of the electron)."""

from math import pi

from barkhausen.core.errors import InputError

GYROMAGNETIC_RATIO = 1.760859e11
"""gamma in rad/(s T); mumax3's default is 1.7595e11, 0.08 % less."""
VACUUM_PERMEABILITY = 4e-7 * pi
"""mu0 in T m/A."""
BOLTZMANN = 1.380649e-23
"""kB in J/K."""
REDUCED_PLANCK = 1.054571817e-34
"""hbar in J s."""
ELEMENTARY_CHARGE = 1.602176634e-19
"""e in C."""
BOHR_MAGNETON = 9.2740100783e-24
"""muB in J/T."""

MILLI, MICRO, NANO, PICO, FEMTO = 1e3, 1e6, 1e9, 1e12, 1e15
"""Factors from an SI unit to the unit with that prefix: ``NANO * length`` is a length in nm."""

PREFIXES = {"m": 1e-3, "µ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}
"""What each prefix stands for, the largest first."""

READ_PREFIXES = {"G": 1e9, "M": 1e6, "k": 1e3, "": 1.0, **PREFIXES, "u": 1e-6, "μ": 1e-6, "a": 1e-18}
"""Prefixes that are understood in units that a user writes."""

SPELLINGS = {"m": ("m",), "S": ("S",), "ohm": ("ohm", "Ω", "Ω", "ohms"), "V": ("V",), "A": ("A",), "s": ("s",)}
"""Spellings of each SI unit, apart from capitals."""


def with_unit(value: float, unit: str, digits: int = 6) -> str:
    """A number with its unit; a number alone where the unit is ``1``.

    Args:
        value: Value in the unit.
        unit: SI unit; ``1`` for a number without one.
        digits: Significant digits.
    """
    return f"{value:.{digits}g}" if unit == "1" else f"{value:.{digits}g} {unit}"


def labelled(name: str, unit: str) -> str:
    """A name with its unit in brackets, for an axis or a column; the name alone where the unit is ``1``."""
    return name if unit == "1" else f"{name} ({unit})"


def unit_factor(text: str, unit: str) -> float | None:
    """Factor from a unit as a user writes it, such as ``nm``, ``uS`` or ``kOhm``, to an SI unit; None if it is no such
    unit.

    The case of a unit and of a small prefix does not matter, except that M is mega and m is milli.

    Args:
        text: Unit with or without a prefix.
        unit: SI unit, a key of :data:`SPELLINGS`, or another text, which has no prefixes.
    """
    text = text.strip()
    if unit == "m" and text in ("Å", "Å", "Angstrom", "angstrom"):
        return 1e-10
    for spelling in SPELLINGS.get(unit, (unit,)):
        if text.casefold().endswith(spelling.casefold()) and spelling:
            prefix = text[: len(text) - len(spelling)]
            known = READ_PREFIXES if unit in SPELLINGS else {"": 1.0}
            for written in (prefix, prefix.lower()):
                if written in known:
                    return known[written]
    return None


def checked_unit_factor(text: str, unit: str, where: str) -> float:
    """As :func:`unit_factor`.

    Raises:
        InputError: It is no unit of that kind; the message begins with ``where``.
    """
    factor = unit_factor(text, unit)
    if factor is None:
        examples = ", ".join(prefix + unit for prefix in ("", "m", "u", "n") if unit != "ohm") or "ohm, kohm, Mohm"
        raise InputError(f"{where}: {text!r} is no unit of this column; understood: {examples}")
    return factor
