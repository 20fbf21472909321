"""Bare constants: what the cells of a mesh are given so that the averages at a temperature are the material's."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.temperature.spin_waves import Softening, softening


@dataclass(frozen=True)
class BareConstants:
    """Constants of the cells of one mesh, for constants at one temperature."""

    measured: Material
    """Constants at the temperature."""
    cell: tuple[float, float]
    """Edges of the cells in m."""
    softening: Softening
    temperature: float
    """In K."""

    @property
    def stray_excess(self) -> float:
        """mu0 Ms(T)²/2 − Kd(T) in J/m³: how much less the stray field of the cells takes off Ku."""
        shape = 0.5 * VACUUM_PERMEABILITY * self.measured.saturation_magnetisation**2
        return shape * (1 - self.softening.stray)

    @property
    def anisotropy_factor(self) -> float:
        """Bare over measured *change* of Ku, by a gate, an end stop or grains."""
        return 1 / self.softening.anisotropy

    def described(self) -> str:
        """What the bare constants are for, in words."""
        given, (dx, dy) = self.measured, self.cell
        return (
            f"bare constants for cells of {1e9 * dx:g} x {1e9 * dy:g} nm alone, whose averages at "
            f"{self.temperature:g} K are Ms {given.saturation_magnetisation:.4g} A/m, "
            f"A {given.exchange_stiffness:.4g} J/m, Ku {given.anisotropy:.4g} J/m3, D {given.dmi:.4g} J/m2"
        )

    @property
    def material(self) -> Material:
        """The bare material. Spin-orbit fields and drift velocities of currents are those of the measured one, since
        the spin-Hall angle and the polarisation are scaled as Ms is.

        Raises:
            InputError: A bare constant is out of its range.
        """
        soft, given = self.softening, self.measured
        ms = given.saturation_magnetisation / soft.order
        values = {
            "saturation_magnetisation": ms,
            "exchange_stiffness": given.exchange_stiffness / soft.exchange,
            "anisotropy": (given.anisotropy - self.stray_excess) * self.anisotropy_factor,
            "dmi": given.dmi / soft.dmi,
            "spin_hall_angle": given.spin_hall_angle / soft.order,
            "spin_polarisation": given.spin_polarisation / soft.order,
            "constants_at": 0.0,
            "source": f"{given.source}; {self.described()}".removeprefix("; "),
        }
        if abs(values["spin_polarisation"]) > 1:  # type: ignore[arg-type]
            raise InputError(
                f"material.spin_polarisation = {given.spin_polarisation:g}: the cells would need more than 1 at "
                f"{self.temperature:g} K"
            )
        return given.model_copy(update=values)


def bare_constants(
    material: Material, cell: float | tuple[float, float], thickness: float, temperature: float
) -> BareConstants:
    """Bare constants of the cells of a mesh, with the factors between them and the measured ones.

    Args:
        material: Material whose constants were measured at ``constants_at``; at another temperature its laws scale
            them first (:meth:`.Material.at`).
        cell: Edge of the square cells in m, or the two edges dx and dy.
        thickness: Thickness of the film in m.
        temperature: Temperature in K of the simulation.

    Raises:
        InputError: The film is not perpendicular at that temperature, has cubic anisotropy, or loses its order.
    """
    edges = (float(cell), float(cell)) if isinstance(cell, (int, float)) else (float(cell[0]), float(cell[1]))
    return _kept(material, edges, float(thickness), float(temperature))


@functools.lru_cache(maxsize=64)
def _kept(material: Material, cell: tuple[float, float], thickness: float, temperature: float) -> BareConstants:
    measured = material.at(temperature)
    return BareConstants(measured, cell, softening(measured, cell, thickness, temperature), temperature)


def bare_material(
    material: Material, cell: float | tuple[float, float], thickness: float, temperature: float
) -> Material:
    """Constants that the cells of a mesh are given so that averages at a temperature are those of the material.

    A material with ``constants_at = 0`` has the constants of its cells already and is returned as it is.

    Args:
        material: Material with constants at ``constants_at``.
        cell: Edge of the square cells in m, or the two edges dx and dy.
        thickness: Thickness of the film in m.
        temperature: Temperature in K of the simulation.

    Raises:
        InputError: As :func:`bare_constants`.
    """
    if material.constants_at == 0:
        return material
    return bare_constants(material, cell, thickness, temperature).material


def bare_film(film: Film, temperature: float) -> Film:
    """Film for a simulation at a temperature: bare constants in every cell, maps of them included.

    A film whose material has ``constants_at = 0`` is returned as it is.

    Args:
        film: Film with constants at ``constants_at`` of its material.
        temperature: Temperature in K of the simulation.

    Raises:
        InputError: As :func:`bare_constants`.
    """
    material, grid = film.material, film.grid
    if material.constants_at == 0:
        return film
    bare = bare_constants(material, (grid.dx, grid.dy), grid.dz, temperature)
    mesh = bare.material
    law = bare.measured.anisotropy / material.anisotropy if material.anisotropy else 1.0
    anisotropy = film.anisotropy
    if anisotropy is not None:
        anisotropy = (law * anisotropy - bare.stray_excess) * bare.anisotropy_factor
    return with_constants(film, mesh, anisotropy)


def with_constants(film: Film, material: Material, anisotropy: object) -> Film:
    """The same film of another material; maps of Ms, A, D and damping keep their ratio to the material's."""
    maps = film.maps
    if maps is not None:
        given = dict(maps.given)
        for name in ("saturation_magnetisation", "exchange_stiffness", "dmi"):
            if name in given and getattr(film.material, name) != 0:
                given[name] = given[name] * (getattr(material, name) / getattr(film.material, name))
        maps = type(maps)(**given)
    return Film(
        film.grid, material, film.fill, anisotropy, film.device_of_replica, film.edge_demag, film.origin, maps  # type: ignore[arg-type]
    )  # fmt: skip
