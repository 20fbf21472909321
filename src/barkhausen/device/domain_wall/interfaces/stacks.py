"""Stacks of layers with the ranges that are reported for them."""

from __future__ import annotations

from barkhausen.core.errors import did_you_mean
from barkhausen.core.registry import Registry
from barkhausen.device.domain_wall.interfaces.ranges import Range, Stack

STACKS: Registry[Stack] = Registry("stack", "material.stack")
"""Stacks by name; one of your own is registered here."""

_LIAO = "Liao et al., arXiv:1907.06192"
_SKOWRONSKI = "Skowronski et al., arXiv:1810.00641"
_ANNEALED = "W/CoFeB/Zr/MgO, APL Mater. 11 (Nov. 2023)"
_TANTALUM = "Liu et al., Science 336, 555 (2012)"
_PALLADIUM = "Zhu et al., arXiv:1901.09954"
_GOLD = "Zhu et al., Phys. Rev. Applied 10, 031001 (2018)"
_SATO = "Sato et al., Appl. Phys. Lett. 101, 022414 (2012)"
_SABINO = "Sabino et al., arXiv:1406.2491"

_COFEB_MOMENT = Range(0.6e6, 1.3e6, "0.8-1.3 MA/m with W or Ta; 0.6 with inserts that dilute the moment (m)")
_COFEB_EXCHANGE = Range(0.8e-11, 2.0e-11, "20 pJ/m at 1 nm, Devolder et al., arXiv:1602.07421; less with inserts (m)")
_COFEB_DAMPING = Range(0.005, 0.05, f"0.006 and more, {_SABINO}; on W and Ta 0.01-0.05 (m)")
_COFEB_VCMA = Range(30e-15, 100e-15, "30-100 fJ/(V m) (m)")
_ONE_MGO = Range(
    1.0e-3, 2.0e-3, "1.3 mJ/m2 on Ta, Ikeda et al., Nat. Mater. 9, 721 (2010) (m); up to 2.0 on W after annealing (m)"
)
_TUNGSTEN = {
    "spin_hall_angle": Range(
        0.20, 0.50,
        f"0.20-0.50, {_LIAO}; 0.30-0.33, Pai et al., Appl. Phys. Lett. 101, 122404 (2012); 0.36, {_SKOWRONSKI}",
    ),
    "resistivity": Range(
        1.0e-6, 3.0e-6, f"106 (annealed) to 196 uohm cm, from theta_SH and its conductivity in {_ANNEALED}; "
        "beta-W up to 300 (m)",
    ),
    "spin_hall_conductivity": Range(
        1.0e5, 2.9e5, f"1.05e5 S/m amorphous, {_LIAO}; 1.5e5 to 2.8e5 S/m, {_ANNEALED}",
    ),
}  # fmt: skip
_TUNGSTEN_DMI = Range(
    0.0, 0.45e-12,
    "nearly none, Boettcher et al., arXiv:2006.02690; 0.41 pJ/m (0.68 mJ/m2 at 0.6 nm), Jaiswal et al., "
    "arXiv:1706.05987",
)  # fmt: skip

STACKS.register("w-cofeb-mgo", Stack("W/CoFeB/MgO", {
    "saturation_magnetisation": _COFEB_MOMENT,
    "exchange_stiffness": _COFEB_EXCHANGE,
    "damping": _COFEB_DAMPING,
    "interfacial_anisotropy": _ONE_MGO,
    "interfacial_dmi": _TUNGSTEN_DMI,
    **_TUNGSTEN,
    "thickness": Range(0.6e-9, 1.7e-9, "perpendicular from 0.6 to 1.7 nm (m)"),
    "vcma_coefficient": _COFEB_VCMA,
}))  # fmt: skip
STACKS.register("w-cofeb-insert-mgo", Stack("W/CoFeB/insert/CoFeB/MgO", {
    "saturation_magnetisation": _COFEB_MOMENT,
    "exchange_stiffness": _COFEB_EXCHANGE,
    "damping": _COFEB_DAMPING,
    "interfacial_anisotropy": _ONE_MGO,
    "interfacial_dmi": _TUNGSTEN_DMI,
    **_TUNGSTEN,
    "thickness": Range(
        1.2e-9, 2.6e-9, f"inserts of Ta, W or Mo keep thicker films perpendicular, {_SABINO}; (m)"
    ),
    "vcma_coefficient": _COFEB_VCMA,
}))  # fmt: skip
STACKS.register("ta-cofeb-mgo", Stack("Ta/CoFeB/MgO", {
    "saturation_magnetisation": _COFEB_MOMENT,
    "exchange_stiffness": _COFEB_EXCHANGE,
    "damping": _COFEB_DAMPING,
    "interfacial_anisotropy": Range(1.0e-3, 1.8e-3, "1.3 mJ/m2, Ikeda et al., Nat. Mater. 9, 721 (2010) (m)"),
    "interfacial_dmi": Range(0.0, 0.1e-12, "0-0.1 pJ/m (m)"),
    "spin_hall_angle": Range(
        0.09, 0.15, f"0.09-0.11, arXiv:1411.0601; 0.10, Liu et al., arXiv:1512.03529; 0.12-0.15, {_TANTALUM} (m)",
    ),
    "resistivity": Range(1.8e-6, 2.2e-6, f"{_TANTALUM} (m)"),
    "thickness": Range(0.7e-9, 1.5e-9, "0.7-1.5 nm (m)"),
    "vcma_coefficient": _COFEB_VCMA,
}))  # fmt: skip
STACKS.register("pdpt-cofeb-mgo", Stack("Pd0.25Pt0.75/CoFeB/MgO", {
    "saturation_magnetisation": _COFEB_MOMENT,
    "exchange_stiffness": _COFEB_EXCHANGE,
    "damping": Range(0.01, 0.1, "(m)"),
    "interfacial_anisotropy": Range(0.8e-3, 1.3e-3, "as Pt/CoFeB/MgO (m)"),
    "interfacial_dmi": Range(
        0.3e-12, 1.0e-12, f"much stronger than on W and tuned by composition, {_PALLADIUM}; numbers (m)"
    ),
    "spin_hall_angle": Range(0.24, 0.28, f"0.26, {_PALLADIUM}"),
    "resistivity": Range(0.55e-6, 0.60e-6, f"57.5 uohm cm at 4 nm, {_PALLADIUM}"),
    "thickness": Range(0.7e-9, 1.5e-9, "(m)"),
    "vcma_coefficient": _COFEB_VCMA,
}))  # fmt: skip
STACKS.register("aupt-co-mgo", Stack("Au0.25Pt0.75/Co/MgO", {
    "saturation_magnetisation": Range(1.1e6, 1.4e6, "(m)"),
    "exchange_stiffness": Range(1.0e-11, 1.8e-11, "(m)"),
    "damping": Range(0.03, 0.3, "(m)"),
    "interfacial_anisotropy": Range(1.2e-3, 2.0e-3, "as Pt/Co/MgO (m)"),
    "interfacial_dmi": Range(0.5e-12, 1.7e-12, "as Pt/Co, less with Au (m)"),
    "spin_hall_angle": Range(0.30, 0.35, f"0.35, {_GOLD}; 0.30 (m)"),
    "resistivity": Range(0.80e-6, 0.86e-6, f"83 uohm cm, {_GOLD}"),
    "thickness": Range(0.6e-9, 1.4e-9, "(m)"),
}))  # fmt: skip
STACKS.register("pt-co-oxide", Stack("Pt/Co/AlOx or MgO", {
    "saturation_magnetisation": Range(1.1e6, 1.4e6, "(m)"),
    "exchange_stiffness": Range(1.0e-11, 1.8e-11, "1.6e-11, Rohart and Thiaville, Phys. Rev. B 88, 184422 (2013)"),
    "damping": Range(0.1, 0.3, "(m)"),
    "interfacial_anisotropy": Range(1.2e-3, 2.0e-3, "(m)"),
    "interfacial_dmi": Range(1.2e-12, 1.9e-12, "1.7 +- 0.11 pJ/m by Brillouin scattering, Pt/Co/AlOx/Pt; 1.3-1.7 (m)"),
    "spin_hall_angle": Range(0.06, 0.20, f"0.09, {_SKOWRONSKI}; 0.06-0.2 (m)"),
    "resistivity": Range(0.2e-6, 0.6e-6, "20-60 uohm cm (m)"),
    "thickness": Range(0.6e-9, 1.4e-9, "0.6-1.2 nm, Pt/Co/AlOx/Pt by Brillouin scattering; (m)"),
}))  # fmt: skip
STACKS.register("mgo-cofeb-mgo", Stack("MgO/CoFeB/Ta/CoFeB/MgO", {
    "saturation_magnetisation": Range(0.9e6, 1.3e6, "(m)"),
    "exchange_stiffness": Range(0.8e-11, 1.5e-11, "(m)"),
    "damping": Range(0.005, 0.012, f"0.006, {_SABINO}"),
    "interfacial_anisotropy": Range(
        2.0e-3, 3.3e-3, f"both interfaces; 1.9 times as stable as one, {_SATO}; numbers (m)",
    ),
    "interfacial_dmi": Range(0.0, 0.05e-12, "symmetric (m)"),
    "spin_hall_angle": Range(0.0, 0.0, "no heavy metal touches the film"),
    "thickness": Range(2.0e-9, 3.0e-9, f"1.6 + 1.0 nm, {_SATO}"),
    "vcma_coefficient": _COFEB_VCMA,
}))  # fmt: skip
STACKS.register("pt-co-ni", Stack("Pt/[Co/Ni]_N", {
    "saturation_magnetisation": Range(0.60e6, 0.90e6, "(m)"),
    "exchange_stiffness": Range(0.8e-11, 1.4e-11, "(m)"),
    "damping": Range(0.02, 0.1, "0.035, Kato et al., IEEE Trans. Magn. (2012); more on Pt (m)"),
    "bulk_anisotropy": Range(0.40e6, 0.75e6, "(m)"),
    "interfacial_anisotropy": Range(0.0, 0.0, "counted in K_v"),
    "interfacial_dmi": Range(0.2e-12, 1.3e-12, "set by the outer layers, Yu et al., arXiv:1610.07022; numbers (m)"),
    "spin_hall_angle": Range(0.06, 0.20, "of Pt (m)"),
    "resistivity": Range(0.2e-6, 0.6e-6, "20-60 uohm cm (m)"),
    "thickness": Range(1.0e-9, 6.0e-9, "(m)"),
}))  # fmt: skip
STACKS.register("w-comnfe-mgo", Stack("W/bcc CoMnFe/MgO", {
    "saturation_magnetisation": Range(1.0e6, 1.5e6, "(m)"),
    "exchange_stiffness": Range(1.0e-11, 2.0e-11, "(m)"),
    "damping": Range(0.005, 0.05, "(m)"),
    "bulk_anisotropy": Range(
        0.4e6, 0.8e6, "0.6 MJ/m3 in alloys and 0.8 in multilayers of a few nm, PMC11633402 (2024), without W"
    ),
    "interfacial_anisotropy": Range(0.0, 2.0e-3, "of MgO (m)"),
    **_TUNGSTEN,
    "thickness": Range(1.0e-9, 5.0e-9, "a few nm, PMC11633402 (2024)"),
}))  # fmt: skip
STACKS.register("w-fepd-mgo", Stack("W/L1_0 FePd/MgO", {
    "saturation_magnetisation": Range(1.0e6, 1.1e6, "(m)"),
    "exchange_stiffness": Range(0.6e-11, 1.5e-11, "(m)"),
    "damping": Range(0.003, 0.02, "(m)"),
    "bulk_anisotropy": Range(0.5e6, 1.8e6, "(m)"),
    "interfacial_anisotropy": Range(0.0, 1.5e-3, "of MgO (m)"),
    **_TUNGSTEN,
    "thickness": Range(2.0e-9, 8.0e-9, "(m)"),
}))  # fmt: skip


def stack_named(name: str) -> Stack:
    """The stack of that name.

    Raises:
        ValueError: There is none.
    """
    found = STACKS.find(name)
    if found is None:
        raise ValueError(f"{name!r}: no such stack{did_you_mean(name, STACKS)}")
    return found
