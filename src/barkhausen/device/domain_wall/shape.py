"""Shape of a real track: notches, rough edges, an anisotropy gradient, and stops at its ends."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from barkhausen.core.config import NotNegative, Parameters, Positive, Real, validated
from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.plausible import checked_as
from barkhausen.device.domain_wall.patches import EdgePatches
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.micromagnetics import (
    EdgeRoughness,
    Film,
    Grid,
    Material,
    Notch,
    Region,
    TrackOutline,
    anisotropy_map,
    grains,
    track_film,
)

BYTES_OF_A_CELL = 100
"""Memory of a cell of one device in its film: filled fraction, anisotropy, demagnetisation of edges, and copies."""


class EndStops(Parameters):
    """End stops: regions of higher anisotropy at both ends that keep the wall on the track.

    Real devices pin the magnetisation at their ends with contacts or an antiferromagnet; here the ends have a higher
    wall energy. Both values are assumptions.
    """

    length: Annotated[NotNegative, checked_as("length")] = 40e-9
    """Length of each stop in m. With 0 there are no stops, and a wall can leave the track."""
    anisotropy: Annotated[NotNegative, checked_as("anisotropy")] = 3e5
    """Increase of Ku in the stops in J/m³."""
    sides: Literal["both", "left"] = "both"
    """Ends that have a stop; a wall can leave a track at an end without one."""

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Parameters of devices that were made before this key stay the same text.
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if key != "sides" or value != "both"}


class Grains(Parameters):
    """Grains with different anisotropies: size in m, and standard deviation of Ku relative to its mean."""

    size: Annotated[Positive, checked_as("length")] = 10e-9
    spread: NotNegative = 0.0


class TrackShape(Parameters):
    """Variations along the track and between devices; SI units."""

    notches: tuple[Notch, ...] = ()
    roughness: EdgeRoughness = EdgeRoughness()
    """Roughness of both edges; ``rms = 0`` for smooth edges."""
    taper: Annotated[float, Field(gt=-1, allow_inf_nan=False)] = 0.0
    """Relative change of the width from the left end to the right."""
    anisotropy_gradient: Annotated[Real, checked_as("anisotropy gradient")] = 0.0
    """dKu/dx in J/m⁴; Ku is the material's at the left end."""
    grains: Grains = Grains()
    end_stops: EndStops = EndStops()
    patches: EdgePatches | None = None
    """Patches of another Ku at both edges. Default: none."""

    @model_serializer(mode="wrap")
    def _without_the_unused(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Parameters of devices that were made before this table stay the same text.
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if key != "patches" or value is not None}

    def outline(self, track: Racetrack) -> TrackOutline:
        """The outline of a track.

        Raises:
            InputError: A notch lies off the track.
        """
        values = {
            "length": track.length,
            "width": track.width,
            "taper": self.taper,
            "notches": self.notches,
            "roughness": self.roughness if self.roughness.rms > 0 else None,
        }
        return validated(TrackOutline, values, "track and shape")

    def film(self, track: Racetrack, material: Material, *, cell: float, devices: int, seed: int) -> Film:
        """The film of a number of devices, each with its own edges and grains.

        Args:
            track: Length, width and thickness.
            material: Material constants.
            cell: Edge of the square cells in m.
            devices: Number of devices.
            seed: Seed of edges and grains. Device d does not depend on the cells or the number of devices.

        Raises:
            InputError: Notches cut the track in two, or stops leave no track.
        """
        if not 2 * self.end_stops.length < track.length:
            raise InputError(
                f"shape.end_stops.length = {self.end_stops.length:g}: two of them leave nothing of a track of "
                f"{track.length:g} m"
            )
        outline = self.outline(track)
        grid = outline.grid(track.thickness, cell)
        check_memory(
            BYTES_OF_A_CELL * float(grid.cells) * devices,
            f"characterisation.devices = {devices}, cell = {cell:g}: {grid.cells} cells of each device",
        )
        ku = self._anisotropy(grid, material, track)[None]
        if self.grains.spread > 0:
            relative = grains(
                grid, 1.0, size=self.grains.size, spread=self.grains.spread, devices=devices, seed=seed
            )  # fmt: skip
            ku = ku * relative
        if self.patches is not None:
            ku = ku * self.patches.factors(grid, track, devices=devices, seed=seed)
        return track_film(
            outline, material, thickness=track.thickness, cell=cell, devices=devices, seed=seed, anisotropy=ku
        )

    def _anisotropy(self, grid: Grid, material: Material, track: Racetrack):  # type: ignore[no-untyped-def]
        ku = anisotropy_map(grid, material.anisotropy, gradient=self.anisotropy_gradient)
        stop = self.end_stops
        if stop.length == 0 or stop.anisotropy == 0:
            return ku
        raised = [Region(start=0.0, stop=stop.length, anisotropy=stop.anisotropy)]
        if stop.sides == "both":
            raised.append(Region(start=track.length - stop.length, stop=grid.length, anisotropy=stop.anisotropy))
        return ku + anisotropy_map(grid, 0.0, regions=raised)
