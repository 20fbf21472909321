"""Physical constants and SI prefixes; SI units (CODATA 2018; the gyromagnetic ratio is that of the electron)."""

from math import pi

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
