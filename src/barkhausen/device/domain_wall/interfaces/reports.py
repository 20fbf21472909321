"""Constants of a device that lie outside the ranges reported for its stack."""

from __future__ import annotations

from barkhausen.device.domain_wall.interfaces.constants import total
from barkhausen.device.domain_wall.interfaces.stacks import stack_named
from barkhausen.device.domain_wall.parameters import DeviceParameters


def stack_values(parameters: DeviceParameters) -> dict[str, float]:
    """What a device has of the quantities that stacks have ranges of, in SI units.

    Ku that is given directly is of the bulk where the stack has a range of it (a multilayer, an alloy), and of the
    interfaces elsewhere.
    """
    track, material, interfaces = parameters.track, parameters.material, parameters.interfaces
    bulk, interfacial = 0.0, material.anisotropy * track.thickness
    if interfaces is not None and {interfaces.bulk_anisotropy, interfaces.interfacial_anisotropy} != {None}:
        bulk, interfacial = interfaces.bulk_anisotropy or 0.0, total(interfaces.interfacial_anisotropy)
    elif interfaces is not None and interfaces.stack and "bulk_anisotropy" in stack_named(interfaces.stack).ranges:
        bulk, interfacial = material.anisotropy, 0.0
    return {
        "saturation_magnetisation": material.saturation_magnetisation,
        "exchange_stiffness": material.exchange_stiffness,
        "damping": material.damping,
        "interfacial_anisotropy": interfacial,
        "bulk_anisotropy": bulk,
        "interfacial_dmi": abs(material.dmi) * track.thickness,
        "spin_hall_angle": abs(material.spin_hall_angle),
        "resistivity": track.heavy_metal_resistivity,
        "spin_hall_conductivity": abs(material.spin_hall_angle) / track.heavy_metal_resistivity,
        "thickness": track.thickness,
        **parameters.gate.sourced(),
    }


def beyond_reports(parameters: DeviceParameters) -> list[str]:
    """Sentences about constants that do not fit each other, or lie outside the ranges reported for the stack."""
    lines = parameters.gate.doubts(parameters.junction)
    if parameters.interfaces is not None and parameters.interfaces.stack:
        lines += stack_named(parameters.interfaces.stack).outside(stack_values(parameters))
    return lines
