"""Film: grid, material, and the filled fraction and anisotropy of each cell of every device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics.descriptions import describe_film
from barkhausen.micromagnetics.geometry.newell import demagnetisation_tensor
from barkhausen.micromagnetics.grid import Grid
from barkhausen.micromagnetics.layout import along_longer_axis
from barkhausen.micromagnetics.material import Material
from barkhausen.micromagnetics.plots import plot_film

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False)
class Film:
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

    def __post_init__(self) -> None:
        for name, more in (("fill", ()), ("anisotropy", ()), ("edge_demag", (3,))):
            value = getattr(self, name)
            if value is None:
                continue
            value = torch.as_tensor(value)
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
        counts = {t.shape[0] for t in self._families if t is not None} - {1}
        if len(counts) > 1:
            raise InputError(
                f"film: fill, anisotropy and edge_demag are given for different numbers of devices {sorted(counts)}"
            )
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

    def plot(
        self,
        magnetisation: Float[Tensor, "any 3 nx ny"] | None = None,
        axes: Sequence[Axes] | None = None,
        *,
        component: str = "z",
    ) -> list[Axes]:
        """Draw maps of the magnetisation with the outline of the track (:func:`~.plots.plot_film`).

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
        return max((t.shape[0] for t in self._families if t is not None), default=1)

    @property
    def _families(self) -> tuple[Tensor | None, ...]:
        """Quantities that differ from device to device."""
        return self.fill, self.anisotropy, self.edge_demag

    def assign(self, device_of_replica: Sequence[int] | Int[Tensor, " replica"]) -> Film:
        """Film with a device assigned to each replica, as in an experiment of voltages × devices × cycles."""
        return self._derived(self._families, torch.as_tensor(device_of_replica), self._like)

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
            return self._derived(self._families, None, self._like)
        index = replicas if self.device_of_replica is None else self.device_of_replica[replicas]

        def pick(value: Tensor | None) -> Tensor | None:
            return value if value is None or value.shape[0] == 1 else value[index.to(value.device)]

        return self._derived(tuple(pick(t) for t in self._families), None, self._like)

    def to(self, dtype: torch.dtype, device: torch.device | str = "cpu") -> Film:
        """Film with its tensors in another precision or on another device, laid out in memory as magnetisations are."""

        def cast(value: Tensor | None) -> Tensor | None:
            return None if value is None else along_longer_axis(value.to(device=device, dtype=dtype))

        like = torch.empty(0, dtype=dtype, device=device)
        return self._derived(tuple(cast(t) for t in self._families), self.device_of_replica, like)

    def _derived(self, families: tuple[Tensor | None, ...], index: Tensor | None, like: Tensor) -> Film:
        fill, anisotropy, edge_demag = families
        film = Film(self.grid, self.material, fill, anisotropy, index, edge_demag, self.origin)
        film.__dict__["_like"] = like
        # The tensor depends on the grid alone, and is not computed again for every chunk of replicas.
        film.__dict__["_tensor"] = self._tensor
        return film

    @cached_property
    def _like(self) -> Tensor:
        """An empty tensor of the precision and device that the fields are computed in."""
        given = [t for t in self._families if t is not None]
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
        """Share of each cell in the magnetic volume; sums to 1 over the cells (float64)."""
        if self.fill is None:
            return torch.full(
                (1, *self.grid.shape), 1.0 / self.grid.cells, dtype=torch.float64, device=self._like.device
            )
        fill = self.fill.to(torch.float64)
        return fill / fill.sum((1, 2), keepdim=True)

    @cached_property
    def inverse_fill(self) -> Float[Tensor, "device nx ny"] | None:
        """1/fill, and 0 in empty cells; ``None`` if all are full."""
        if self.fill is None:
            return None
        return torch.where(self.fill > 0, 1.0 / self.fill.clamp_min(torch.finfo(self.fill.dtype).tiny), 0.0)

    @cached_property
    def bonds(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]] | None:
        """Weights with which each cell feels its next and its previous neighbour, along x and along y.

        A bond carries the smaller of the two filled fractions, and acts on a moment scaled by the cell's own:
        min(phi_i, phi_j)/phi_i. So an empty cell is no neighbour, both sides see the same energy, and the field on
        a nearly empty cell stays bounded. ``None`` if all cells are full.

        Returns:
            ((x next, x previous), (y next, y previous)) with shapes [device, nx-1, ny] and [device, nx, ny-1];
            "next" acts on the first cell of the bond, "previous" on the second.
        """
        fill, inverse = self.fill, self.inverse_fill
        if fill is None or inverse is None:
            return None
        along_x = torch.minimum(fill[:, 1:], fill[:, :-1])
        along_y = torch.minimum(fill[:, :, 1:], fill[:, :, :-1])
        return (
            (along_x * inverse[:, :-1], along_x * inverse[:, 1:]),
            (along_y * inverse[:, :, :-1], along_y * inverse[:, :, 1:]),
        )

    @cached_property
    def anisotropy_field(self) -> Float[Tensor, "device nx ny"]:
        """2 Ku/Ms in T; shape [1, 1, 1] if uniform."""
        factor = 2.0 / self.material.saturation_magnetisation
        if self.anisotropy is None:
            return self.full(factor * self.material.anisotropy, 1, 1, 1)
        return factor * self.anisotropy

    @cached_property
    def edge_field(self) -> tuple[Float[Tensor, "device nx ny"], Float[Tensor, "device nx ny"]] | None:
        """:attr:`edge_demag` as fields in T per m_x and per m_z, relative to y (a multiple of m exerts no torque)."""
        if self.edge_demag is None:
            return None
        xx, yy, zz = (-VACUUM_PERMEABILITY * self.material.saturation_magnetisation * self.edge_demag).unbind(1)
        return xx - yy, zz - yy

    @cached_property
    def _tensor(self) -> Float[Tensor, "4 offsets_x offsets_y"]:
        grid = self.grid
        return demagnetisation_tensor(grid.nx, grid.ny, grid.dx, grid.dy, grid.dz)

    @property
    def demag_kernel(self) -> Float[Tensor, "4 offsets_x offsets_y"]:
        """−mu0 Ms N in T per unit m for every offset of two cells (xx, yy, zz, xy); float64.

        Offset (0, 0) is at index (nx − 1, ny − 1).
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
            **{f"material.{key}": value for key, value in self.material.model_dump().items()},
        }
