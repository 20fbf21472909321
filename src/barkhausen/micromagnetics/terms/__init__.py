"""Terms of the effective field: small objects with a field and, where there is one, an energy."""

from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.terms.anisotropy import PerpendicularAnisotropy
from barkhausen.micromagnetics.terms.base import EnergyTerm, QuadraticTerm, Term, Torque
from barkhausen.micromagnetics.terms.demag import Demag
from barkhausen.micromagnetics.terms.exchange import Exchange
from barkhausen.micromagnetics.terms.interfacial_dmi import InterfacialDMI
from barkhausen.micromagnetics.terms.spin_orbit_torque import SpinOrbitTorque
from barkhausen.micromagnetics.terms.thermal import ThermalNoise, thermal_amplitude
from barkhausen.micromagnetics.terms.zeeman import Zeeman
from barkhausen.micromagnetics.terms.zhang_li import ZhangLi

KNOWN = (Demag, Exchange, InterfacialDMI, PerpendicularAnisotropy, SpinOrbitTorque, Zeeman, ZhangLi)
"""The terms that come with the package, all of which the compiled kernel computes."""


def standard_terms(material: Material) -> tuple[Term, ...]:
    """Terms that do not vanish for the constants of the material."""
    terms: list[Term] = [Exchange(), Demag(), PerpendicularAnisotropy(), Zeeman()]
    if material.dmi:
        terms.append(InterfacialDMI())
    if material.spin_hall_angle:
        terms.append(SpinOrbitTorque())
    if material.spin_polarisation:
        terms.append(ZhangLi())
    return tuple(terms)


__all__ = [
    "KNOWN",
    "Demag",
    "EnergyTerm",
    "Exchange",
    "InterfacialDMI",
    "PerpendicularAnisotropy",
    "QuadraticTerm",
    "SpinOrbitTorque",
    "Term",
    "ThermalNoise",
    "Torque",
    "Zeeman",
    "ZhangLi",
    "standard_terms",
    "thermal_amplitude",
]
