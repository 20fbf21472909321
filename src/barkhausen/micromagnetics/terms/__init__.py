"""Terms of the effective field: small objects with a field and, where there is one, an energy."""

from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.terms.anisotropy import PerpendicularAnisotropy, UniaxialAnisotropy
from barkhausen.micromagnetics.terms.base import EnergyTerm, QuadraticTerm, Term, Torque
from barkhausen.micromagnetics.terms.cubic_anisotropy import CubicAnisotropy
from barkhausen.micromagnetics.terms.demag import Demag
from barkhausen.micromagnetics.terms.exchange import Exchange
from barkhausen.micromagnetics.terms.interfacial_dmi import InterfacialDMI
from barkhausen.micromagnetics.terms.spin_orbit_torque import SpinOrbitTorque
from barkhausen.micromagnetics.terms.thermal import ThermalNoise, thermal_amplitude
from barkhausen.micromagnetics.terms.zeeman import Zeeman
from barkhausen.micromagnetics.terms.zhang_li import ZhangLi

COMPILED = (CubicAnisotropy, Demag, Exchange, InterfacialDMI, SpinOrbitTorque, UniaxialAnisotropy, Zeeman, ZhangLi)
"""Terms that the compiled kernel computes."""

KNOWN = COMPILED
"""Terms that come with the package."""


def terms_of(film: Film) -> tuple[Term, ...]:
    """Terms of the effective field of a film unless others are given: its own, or those of material and maps."""
    return standard_terms(film.material, film.maps) if film.own_terms is None else film.own_terms


def standard_terms(material: Material, maps: ParameterMaps | None = None) -> tuple[Term, ...]:
    """Terms that do not vanish for the constants of the material and the maps of a film."""
    terms: list[Term] = [Exchange(), Demag(), UniaxialAnisotropy(), Zeeman()]
    if material.dmi or (maps is not None and maps.dmi is not None):
        terms.append(InterfacialDMI())
    if material.cubic_anisotropy:
        terms.append(CubicAnisotropy())
    if material.spin_hall_angle:
        terms.append(SpinOrbitTorque())
    if material.spin_polarisation:
        terms.append(ZhangLi())
    return tuple(terms)


__all__ = [
    "COMPILED",
    "KNOWN",
    "CubicAnisotropy",
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
    "UniaxialAnisotropy",
    "Zeeman",
    "ZhangLi",
    "standard_terms",
    "terms_of",
    "thermal_amplitude",
]
