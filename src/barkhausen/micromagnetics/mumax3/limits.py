"""Films that can be written as a mumax3 script."""

from __future__ import annotations

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.rows import check_single


def check_film(film: Film) -> None:
    """Raise :class:`InputError` for what the script does not write."""
    check_single(film, "the mumax3 script")
    wrong = {
        f"film.maps: maps of {', '.join(film.maps.given) if film.maps else ''}": film.maps is not None,
        f"grid.periodic = {film.grid.periodic}": any(film.grid.periodic),
        f"material.easy_axis = {film.material.easy_axis}": not film.material.is_perpendicular,
        f"material.cubic_anisotropy = {film.material.cubic_anisotropy:g}": film.material.cubic_anisotropy != 0,
    }
    for what, present in wrong.items():
        if present:
            raise InputError(f"{what}: the mumax3 script does not write that")
