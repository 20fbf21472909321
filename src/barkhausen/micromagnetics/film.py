"""Film: grid, material, and the filled fraction and anisotropy of each cell of every device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics import bonds as neighbours
from barkhausen.micromagnetics.display.descriptions import describe_film
from barkhausen.micromagnetics.display.plots import plot_film
from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor
from barkhausen.micromagnetics.geometry.periodic_tensor import periodic_tensor
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.layout import along_longer_axis
from barkhausen.micromagnetics.maps import ParameterMaps
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.rows import Rows

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Film(Rows):
    """Magnetic layer, or a family of layers (devices) that share grid and material.

    Args:
        grid: Grid of cells.
        material: Material constants.
        fill: Filled fraction of each cell, 0 to 1, ``[device, nx, ny]`` (or ``[nx, ny]`` for one device). It scales
            the moment of a cell and its bonds; ``None``: every cell is full.
        anisotropy: Ku of each cell in J/m³, ``[device, nx, ny]`` or ``[nx, ny]``. Default: that of the material.
        device_of_replica: Device of each replica of a simulation, ``[replica]``. Default: replica r is
            device r, or all replicas are the only device.
        edge_demag: Correction of the demagnetising factors N_xx, N_yy, N_zz of each cell, ``[device, 3, nx, ny]``:
            the stray field of cut cells (:func:`~barkhausen.micromagnetics.geometry.outline.track_film` gives it).
        origin: Description of how the film was made, stored with every result.
        maps: Further parameters that differ from cell to cell.

    Raises:
        InputError: Shapes that do not fit, a fraction outside [0, 1], an anisotropy that is not finite, an empty film.
    """

    grid: Grid
    material: Material
    fill: Float[Tensor, "device nx ny"] | None = None
    anisotropy: Float[Tensor, "device nx ny"] | None = None
    device_of_replica: Int[Tensor, " replica"] | None = None
    edge_demag: Float[Tensor, "device 3 nx ny"] | None = None
    origin: str = ""
    maps: ParameterMaps | None = None

    def __post_init__(self) -> None:
        for name, kind, what in (
            ("grid", Grid, "Grid"), ("material", Material, "Material"), ("maps", ParameterMaps | None, "ParameterMaps")
        ):  # fmt: skip
            if not isinstance(getattr(self, name), kind):
                raise InputError(f"film.{name}: {type(getattr(self, name)).__name__} is no {what}")
        for name, more in (("fill", ()), ("anisotropy", ()), ("edge_demag", (3,))):
            value = getattr(self, name)
            if value is None:
                continue
            value = as_tensor_of_numbers(f"film.{name}", value, None)
            if not value.is_floating_point():
                value = value.to(torch.float64)
            shape = (*more, *self.grid.shape)
            value = value[None] if value.dim() == len(shape) else value
            if tuple(value.shape[1:]) != shape:
                raise InputError(
                    f"film.{name}: shape {tuple(value.shape)} is not (device, {', '.join(map(str, shape))})"
                )
            if not bool(torch.isfinite(value).all()):
                raise InputError(f"film.{name}: not all values are finite")
            object.__setattr__(self, name, value)
        self._check_values()
        counts = {len(value) for value in self.tensors.values()} - {1}
        if len(counts) > 1:
            *first, last = self.tensors
            names = f"{', '.join(first)} and {last}"
            raise InputError(f"film: {names} are given for different numbers of devices {sorted(counts)}")
        if self.device_of_replica is not None:
            index = torch.as_tensor(self.device_of_replica)
            if index.dim() != 1 or index.is_floating_point():
                raise InputError("film.device_of_replica: must be one device number for each replica")
            if len(index) and (int(index.min()) < 0 or (self.devices > 1 and int(index.max()) >= self.devices)):
                raise InputError(f"film.device_of_replica: device numbers must be 0 to {self.devices - 1}")
            object.__setattr__(self, "device_of_replica", index)

    def _check_values(self) -> None:
        if self.anisotropy is not None and self.anisotropy.numel():
            plausible("anisotropy", float(self.anisotropy.abs().max()), "film.anisotropy")
        if self.fill is not None:
            if bool(((self.fill < 0) | (self.fill > 1)).any()):
                raise InputError("film.fill: filled fractions must lie between 0 and 1")
            if not bool((self.fill.amax((1, 2)) > 0).all()):
                raise InputError("film.fill: a device has no filled cell")
        if self.maps is not None:
            self.maps.check_grid(self.grid.shape)
            if not self.maps.given:
                object.__setattr__(self, "maps", None)

    def plot(
        self,
        magnetisation: Float[Tensor, "any 3 nx ny"] | None = None,
        axes: Sequence[Axes] | None = None,
        *,
        component: str = "z",
    ) -> list[Axes]:
        """Draw maps of the magnetisation with the outline of the track (:func:`~.display.plots.plot_film`).

        Args:
            magnetisation: Magnetisation ``[3, nx, ny]`` or ``[replica, 3, nx, ny]``, a map for each replica. Default:
                the anisotropy where it varies, otherwise the filled fraction.
            axes: Axes to draw on, one for each map. Default: those of a new figure.
            component: ``x``, ``y`` or ``z``.
        """
        return plot_film(self, magnetisation, axes, component=component)

    def __repr__(self) -> str:
        return describe_film(self).text()

    def _repr_html_(self) -> str:
        return describe_film(self).html()

    @property
    def devices(self) -> int:
        """Number of different devices."""
        return max((len(value) for value in self.tensors.values()), default=1)

    @property
    def tensors(self) -> dict[str, Tensor]:
        """Quantities that differ from device to device or from cell to cell, by name, those that are given."""
        own = {"fill": self.fill, "anisotropy": self.anisotropy, "edge_demag": self.edge_demag}
        maps = {} if self.maps is None else {f"maps.{name}": value for name, value in self.maps.given.items()}
        return {name: value for name, value in own.items() if value is not None} | maps

    def assign(self, device_of_replica: Sequence[int] | Int[Tensor, " replica"]) -> Film:
        """Film with a device assigned to each replica, as in an experiment of voltages × devices × cycles."""
        return self._derived(
            lambda value: value, as_tensor_of_numbers("film.device_of_replica", device_of_replica, None), self._like
        )

    def check_replicas(self, replicas: int) -> None:
        """Raise :class:`InputError` if the film does not assign a device to each of the replicas."""
        if self.device_of_replica is not None:
            if len(self.device_of_replica) != replicas:
                raise InputError(
                    f"replicas = {replicas}: film.device_of_replica names {len(self.device_of_replica)} replicas"
                )
        elif self.devices not in (1, replicas):
            raise InputError(f"replicas = {replicas}: the film has {self.devices} devices; use film.assign(...)")

    def select(self, replicas: Int[Tensor, " replica"]) -> Film:
        """Film of the selected replicas, one device each (or one for all if they are the same)."""
        if self.devices == 1:
            return self._derived(lambda value: value, None, self._like)
        index = replicas if self.device_of_replica is None else self.device_of_replica[replicas]

        def pick(value: Tensor) -> Tensor:
            return value if value.shape[0] == 1 else value[index.to(value.device)]

        return self._derived(pick, None, self._like)

    def to(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> Film:
        """Film with its tensors in another precision or on another device, laid out in memory as magnetisations are."""

        def cast(value: Tensor) -> Tensor:
            kind = value.dtype if value.dtype == torch.bool else dtype
            return along_longer_axis(value.to(device=device, dtype=kind))

        like = torch.empty(0, dtype=dtype, device=device)
        return self._derived(cast, self.device_of_replica, like)

    def _derived(self, change: Callable[[Tensor], Tensor], index: Tensor | None, like: Tensor) -> Film:
        """Film whose tensors are the results of a function of each, with another assignment of replicas."""
        fill, anisotropy, edge_demag = (
            None if value is None else change(value) for value in (self.fill, self.anisotropy, self.edge_demag)
        )
        maps = None if self.maps is None else self.maps.changed(change)
        film = Film(self.grid, self.material, fill, anisotropy, index, edge_demag, self.origin, maps)
        film.__dict__["_like"] = like
        # The tensor depends on the grid alone, and is not computed again for every chunk of replicas.
        film.__dict__["_tensor"] = self._tensor
        return film

    @cached_property
    def _like(self) -> Tensor:
        """An empty tensor of the precision and device that the fields are computed in."""
        given = [value for value in self.tensors.values() if value.is_floating_point()]
        return given[0][:0].flatten() if given else torch.empty(0, dtype=torch.float64)

    def full(self, value: float, *shape: int) -> Tensor:
        """A tensor of the film's precision, on its device."""
        return torch.full(shape, value, dtype=self._like.dtype, device=self._like.device)

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the film's tensors."""
        return self._like.dtype

    @property
    def moment(self) -> float:
        """Magnetic moment Ms V of a full cell in A m²."""
        return self.material.saturation_magnetisation * self.grid.cell_volume

    @cached_property
    def filled(self) -> Bool[Tensor, "device nx ny"] | None:
        """Mask of the cells that hold material; ``None`` if all are full."""
        return None if self.fill is None else self.fill > 0

    @cached_property
    def weights(self) -> Float[Tensor, "device nx ny"]:
        """Share of each cell in the magnetic moment; sums to 1 over the cells (float64)."""
        if self.relative_moment is None:
            return torch.full(
                (1, *self.grid.shape), 1.0 / self.grid.cells, dtype=torch.float64, device=self._like.device
            )
        moment = self.relative_moment.to(torch.float64)
        return moment / moment.sum((1, 2), keepdim=True)

    @cached_property
    def relative_moment(self) -> Float[Tensor, "device nx ny"] | None:
        """Moment of each cell relative to that of a full one of the material's Ms; ``None`` if all are 1."""
        density, thickness = self.relative_density, self.relative_thickness
        if thickness is None:
            return density
        return thickness.expand(-1, *self.grid.shape) if density is None else density * thickness

    @cached_property
    def relative_density(self) -> Float[Tensor, "device nx ny"] | None:
        """Moment of each cell per volume relative to that of a full one of the material's Ms; ``None`` if all are 1."""
        if self.maps is None or self.maps.saturation_magnetisation is None:
            return self.fill
        ratio = self.maps.saturation_magnetisation / self.material.saturation_magnetisation
        return ratio if self.fill is None else ratio * self.fill

    @cached_property
    def inverse_density(self) -> Float[Tensor, "device nx ny"] | None:
        """1/:attr:`relative_density`, and 0 in empty cells; ``None`` if all are 1."""
        return self.inverse_fill if self.relative_density is self.fill else _inverse(self.relative_density)

    @cached_property
    def relative_magnetisation(self) -> Float[Tensor, "device nx ny"] | None:
        """Ms of each cell relative to that of the material; ``None`` if it is the same everywhere."""
        if self.maps is None or self.maps.saturation_magnetisation is None:
            return None
        return self.maps.saturation_magnetisation / self.material.saturation_magnetisation

    @cached_property
    def thermal_factor(self) -> Float[Tensor, "device nx ny"] | None:
        """Thermal field of each cell relative to that of a full cell of the material; ``None`` if all are 1.

        sqrt(alpha_i T_i/(alpha T phi_i t_i/t Ms_i/Ms)), and 0 in empty and in frozen cells.
        """
        if self.maps is None and self.relative_thickness is None:
            return None if self.inverse_fill is None else self.inverse_fill.sqrt()
        square = self.full(1.0, 1, 1, 1) if self.inverse_density is None else self.inverse_density
        if self.relative_thickness is not None:
            square = square / self.relative_thickness
        if self.maps is None:
            return square.sqrt()
        if self.maps.damping is not None:
            square = square * (self.maps.damping / self.material.damping)
        if self.maps.temperature is not None:
            square = square * self.maps.temperature
        return square.sqrt() if self.moving is None else square.sqrt() * self.moving

    @cached_property
    def damping(self) -> Float[Tensor, "device nx ny"] | float:
        """Gilbert damping, a number or one for each cell."""
        return self.material.damping if self.maps is None or self.maps.damping is None else self.maps.damping

    @cached_property
    def moving(self) -> Float[Tensor, "device nx ny"] | None:
        """1 where the magnetisation moves, 0 in frozen cells; ``None`` if no cell is frozen."""
        if self.maps is None or self.maps.frozen is None:
            return None
        return (~self.maps.frozen).to(self.dtype)

    @cached_property
    def easy_axis(self) -> Float[Tensor, "device 3 nx ny"] | None:
        """Easy axis of each cell (or ``[1, 3, 1, 1]``); ``None`` if it is z everywhere."""
        if self.maps is not None and self.maps.easy_axis is not None:
            return self.maps.easy_axis
        if self.material.is_perpendicular:
            return None
        return torch.tensor(self.material.easy_axis, dtype=self.dtype, device=self._like.device)[None, :, None, None]

    @cached_property
    def inverse_fill(self) -> Float[Tensor, "device nx ny"] | None:
        """1/fill, and 0 in empty cells; ``None`` if all are full."""
        return _inverse(self.fill)

    @cached_property
    def bonds(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]] | None:
        """Weights with which each cell feels its next and its previous neighbour, along x and along y.

        A bond carries the smaller of the two filled fractions, and acts on a moment scaled by the cell's own:
        min(phi_i, phi_j)/phi_i. So an empty cell is no neighbour, both sides see the same energy, and the field on
        a nearly empty cell stays bounded. ``None`` if all cells are full.

        Returns:
            ((x next, x previous), (y next, y previous)) with shapes [device, nx-1, ny] and [device, nx, ny-1];
            "next" acts on the first cell of the bond, "previous" on the second. Along a periodic axis there is one
            bond more, from the last cell to the first.
        """
        along_x, along_y = neighbours.geometric(self, 0), neighbours.geometric(self, 1)
        return None if along_x is None or along_y is None else (along_x, along_y)

    @cached_property
    def exchange_bonds(self) -> tuple[neighbours.Pair | None, neighbours.Pair | None]:
        """A_ij w_ij/(Ms_i phi_i) of the bonds along x and y (:func:`~.bonds.weighted`)."""
        return neighbours.weighted(self, 0, "exchange_stiffness"), neighbours.weighted(self, 1, "exchange_stiffness")

    @cached_property
    def dmi_bonds(self) -> tuple[neighbours.Pair | None, neighbours.Pair | None]:
        """D_ij w_ij/(Ms_i phi_i) of the bonds along x and y (:func:`~.bonds.weighted`)."""
        return neighbours.weighted(self, 0, "dmi"), neighbours.weighted(self, 1, "dmi")

    @cached_property
    def unweighted_bonds(self) -> tuple[neighbours.Pair | None, neighbours.Pair | None]:
        """w_ij/(Ms_i phi_i) of the bonds along x and y (:func:`~.bonds.unweighted`)."""
        return neighbours.unweighted(self, 0), neighbours.unweighted(self, 1)

    @cached_property
    def anisotropy_field(self) -> Float[Tensor, "device nx ny"]:
        """2 Ku/Ms in T; shape [1, 1, 1] if uniform."""
        factor = 2.0 / self.material.saturation_magnetisation
        if self.anisotropy is None:
            field = self.full(factor * self.material.anisotropy, 1, 1, 1)
        else:
            field = factor * self.anisotropy
        return field if self.relative_magnetisation is None else field / self.relative_magnetisation

    @cached_property
    def edge_field(self) -> tuple[Float[Tensor, "device nx ny"], Float[Tensor, "device nx ny"]] | None:
        """:attr:`edge_demag` as fields in T per m_x and per m_z, relative to y (a multiple of m exerts no torque)."""
        if self.edge_demag is None:
            return None
        fields = -VACUUM_PERMEABILITY * self.material.saturation_magnetisation * self.edge_demag
        if self.relative_magnetisation is not None:
            fields = fields * self.relative_magnetisation[:, None]
        xx, yy, zz = fields.unbind(1)
        return xx - yy, zz - yy

    @cached_property
    def _tensor(self) -> Float[Tensor, "4 offsets_x offsets_y"]:
        grid = self.grid
        if any(grid.periodic):
            return periodic_tensor(grid)
        return demagnetisation_tensor(grid.nx, grid.ny, grid.dx, grid.dy, grid.dz)

    @property
    def demag_kernel(self) -> Float[Tensor, "4 offsets_x offsets_y"]:
        """−mu0 Ms N in T per unit m for every offset of two cells (xx, yy, zz, xy); float64.

        Offset (0, 0) is at index (nx − 1, ny − 1). In a periodic film the sum over all images of a cell.
        """
        return -VACUUM_PERMEABILITY * self.material.saturation_magnetisation * self._tensor

    def describe(self) -> dict[str, Any]:
        """Grid, material and family as plain values, for the attributes of a result."""
        grid = self.grid
        return {
            "cells": list(grid.shape),
            "cell_size": [grid.dx, grid.dy, grid.dz],
            "devices": self.devices,
            "film.origin": self.origin,
            **{f"material.{key}": value for key, value in self.material.stated().items()},
            **({"periodic": [int(value) for value in grid.periodic]} if any(grid.periodic) else {}),
            **({"maps": list(self.maps.given)} if self.maps is not None else {}),
        }


def _inverse(values: Tensor | None) -> Tensor | None:
    """1/value, and 0 where it is 0."""
    if values is None:
        return None
    return torch.where(values > 0, 1.0 / values.clamp_min(torch.finfo(values.dtype).tiny), 0.0)
