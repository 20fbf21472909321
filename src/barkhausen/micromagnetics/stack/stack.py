"""Stack: thin magnetic layers above each other on one lateral grid."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.arguments import as_tensor_of_numbers
from barkhausen.core.errors import InputError
from barkhausen.core.plausible import plausible
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.stack.coupling import Coupling
from barkhausen.micromagnetics.stack.display import describe_stack, plot_stack
from barkhausen.micromagnetics.stack.layer import Layer
from barkhausen.micromagnetics.stack.shared import shared_grid, shared_material, shares, stacked
from barkhausen.micromagnetics.stack.stack_demag import StackDemag
from barkhausen.micromagnetics.terms import Demag, Term, standard_terms

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def _check_sequence(name: str, value: object, of: str) -> None:
    if isinstance(value, (str, Film)) or not isinstance(value, Iterable):
        raise InputError(f"stack.{name}: {type(value).__name__} is no list of {of}")


class Stack(Film):
    """Thin magnetic layers above each other, each one cell thick, on one lateral grid.

    A replica of a stack takes as many rows of a batch as it has layers: magnetisations have the shape ``[replica ×
    layers, 3, nx, ny]``, row ``replica × layers + layer``, layers from the bottom up. Everything that takes a film
    takes a stack; results have the dimension ``layer``.

    Args:
        layers: Layers from the bottom up, two or more, on one lateral grid. A film stands for a layer of it.
        spacers: Gap in m between each layer and the next. Default: the layers touch.
        couplings: Couplings of layers beside their stray field.
        demag: Whether the stray field acts, within the layers and between them.
        origin: Description of how the stack was made, stored with every result.

    Raises:
        InputError: Fewer than two layers, another number of gaps, a gap that is negative, layers on different grids or
            with constants that must be alike, a coupling of a layer that is not there.
    """

    _layers: tuple[Layer, ...]
    _spacers: tuple[float, ...]
    _couplings: tuple[Coupling, ...]
    _demag: bool
    _names: tuple[str, ...]
    _shares: Float[Tensor, "6 layer"]
    _thickness: Float[Tensor, "row 1 1"] | None
    _about: tuple[str, ...]

    def __init__(
        self,
        layers: Sequence[Layer | Film],
        spacers: Sequence[float] | None = None,
        couplings: Sequence[Coupling] = (),
        *,
        demag: bool = True,
        origin: str = "",
    ) -> None:
        _check_sequence("layers", layers, "films or layers")
        _check_sequence("couplings", couplings, "couplings")
        if spacers is not None:
            _check_sequence("spacers", spacers, "gaps in m")
        if not isinstance(demag, bool):
            raise InputError(f"stack.demag = {demag!r}: must be True or False")
        parts = tuple(layer if isinstance(layer, Layer) else Layer(layer) for layer in layers)
        if len(parts) < 2:
            raise InputError(f"stack.layers: {len(parts)} given, a stack needs 2 or more")
        gaps = (0.0,) * (len(parts) - 1)
        if spacers is not None:
            gaps = tuple(as_tensor_of_numbers("stack.spacers", spacers).flatten().tolist())
        if len(gaps) != len(parts) - 1:
            raise InputError(f"stack.spacers: {len(gaps)} gaps are given for {len(parts)} layers")
        for number, gap in enumerate(gaps):
            if not 0 <= gap < 1e-3:
                raise InputError(f"stack.spacers[{number}] = {gap}: must be zero or a positive length in m, below 1 mm")
            plausible("film thickness", gap, f"stack.spacers[{number}]")
        names = tuple(layer.name or f"layer {number}" for number, layer in enumerate(parts))
        if len(set(names)) < len(names):
            raise InputError(f"stack.layers: two have the same name ({', '.join(names)})")
        for coupling in couplings:
            if not isinstance(coupling, Coupling):
                raise InputError(f"stack.couplings: {coupling!r} is not a coupling of layers")
            coupling.check_layers(len(parts))
        grid = shared_grid(parts)
        angle, drift, factors = shares(parts, grid.dz)
        material = shared_material(parts, angle, drift)
        about = {
            "_layers": parts,
            "_spacers": gaps,
            "_couplings": tuple(couplings),
            "_demag": demag,
            "_names": names,
            "_shares": torch.tensor(factors, dtype=torch.float64).T,
        }
        self._set(about, [layer.thickness / grid.dz for layer in parts])
        tensors: dict[str, Any] = stacked([layer.film for layer in parts], material)
        super().__init__(grid, material, origin=origin, **tensors)

    def _set(self, about: dict[str, Any], thickness: list[float] | None = None) -> None:
        """Attributes of the stack itself; those of the film are checked by its own constructor."""
        self.__dict__.update(about)
        self.__dict__["_about"] = tuple(about)
        if thickness is not None:
            alike = all(value == 1.0 for value in thickness)
            values = None if alike else torch.tensor(thickness, dtype=torch.float64)[:, None, None]
            self.__dict__["_thickness"] = values

    @property
    def layers(self) -> tuple[Layer, ...]:
        """Layers from the bottom up."""
        return self._layers

    @property
    def spacers(self) -> tuple[float, ...]:
        """Gaps in m between each layer and the next."""
        return self._spacers

    @property
    def couplings(self) -> tuple[Coupling, ...]:
        """Couplings beside the stray field."""
        return self._couplings

    @property
    def has_demag(self) -> bool:
        """Whether the stray field acts by default."""
        return self._demag

    @property
    def layer_names(self) -> tuple[str, ...]:
        """Names of the layers."""
        return self._names

    @property
    def layer_count(self) -> int:
        """Number of layers: the rows of a batch that each replica takes."""
        return len(self.layers)

    @cached_property
    def heights(self) -> tuple[float, ...]:
        """Height in m of the lower face of each layer above that of the first."""
        heights = [0.0]
        for layer, gap in zip(self.layers, self.spacers, strict=False):
            heights.append(heights[-1] + layer.thickness + gap)
        return tuple(heights[: self.layer_count])

    @property
    def devices(self) -> int:
        """Number of different stacks."""
        return max(1, super().devices // self.layer_count)

    @property
    def relative_thickness(self) -> Float[Tensor, "row 1 1"] | None:
        """Thickness of each row relative to that of the grid; ``None`` if all are 1."""
        return self._thickness

    @cached_property
    def parts(self) -> tuple[tuple[Film, int], ...]:
        """Film of each layer, and whether couplings turn it against the first (−1) or not (1)."""
        signs = [1] * self.layer_count
        for coupling in self.couplings:
            lower, upper = sorted(coupling.pair)
            signs[upper] = signs[lower] * coupling.sign
        return tuple((layer.film, sign) for layer, sign in zip(self.layers, signs, strict=True))

    @cached_property
    def own_terms(self) -> tuple[Term, ...]:
        """Terms of the material and the maps, those of the stray field across layers, and the couplings."""
        terms = [term for term in standard_terms(self.material, self.maps) if not isinstance(term, Demag)]
        return (*terms, *((StackDemag(),) if self.has_demag else ()), *self.couplings)

    def row_inputs(self, table: Float[Tensor, "time 6 replica"]) -> Float[Tensor, "time 6 row"]:
        """Table of a drive for the rows: each layer with its share of currents and gate."""
        shares = self._shares.to(table)
        # A local field, if there is one, acts on all layers.
        more = torch.ones(table.shape[1] - len(shares), shares.shape[1], dtype=shares.dtype, device=shares.device)
        layered = table[..., None] * torch.cat((shares, more))[:, None, :]
        rows: Tensor = layered.flatten(2)
        return rows

    def select(self, replicas: Int[Tensor, " replica"]) -> Stack:
        """Stack with a row for each layer of the selected replicas."""
        index = replicas if self.device_of_replica is None else self.device_of_replica[replicas]
        rows = self.row_numbers(torch.zeros_like(index) if self.devices == 1 else index)

        def pick(value: Tensor) -> Tensor:
            return value if value.shape[0] == 1 else value[rows.to(value.device)]

        return self._derived(pick, None, self._like)

    def _derived(self, change: Callable[[Tensor], Tensor], index: Tensor | None, like: Tensor) -> Stack:
        """Stack whose tensors are the results of a function of each, with another assignment of replicas."""
        stack = object.__new__(Stack)
        stack._set({name: self.__dict__[name] for name in self._about})
        thickness = self.relative_thickness
        stack.__dict__["_thickness"] = None if thickness is None else change(thickness)
        fill, anisotropy, edge_demag = (
            None if value is None else change(value) for value in (self.fill, self.anisotropy, self.edge_demag)
        )
        maps = None if self.maps is None else self.maps.changed(change)
        Film.__init__(stack, self.grid, self.material, fill, anisotropy, index, edge_demag, self.origin, maps)
        stack.__dict__["_like"] = like
        return stack

    def layer(self, number: int) -> Film:
        """Film of one layer, in the precision and on the device of the stack, one device for each of its stacks."""

        def pick(value: Tensor) -> Tensor:
            return value if value.shape[0] == 1 else value[number :: self.layer_count]

        fill, anisotropy, edge_demag = (
            None if value is None else pick(value) for value in (self.fill, self.anisotropy, self.edge_demag)
        )
        maps = None if self.maps is None else self.maps.changed(pick)
        own = self.layers[number].film
        film = Film(own.grid, own.material, fill, anisotropy, self.device_of_replica, edge_demag, own.origin, maps)
        film.__dict__["_like"] = self._like
        return film

    def join(self, states: Sequence[Float[Tensor, "any 3 nx ny"]]) -> Float[Tensor, "row 3 nx ny"]:
        """Magnetisation of the stack from those of its layers, each ``[replica or 1, 3, nx, ny]`` or ``[3, nx, ny]``.

        Raises:
            InputError: Not one state for each layer, or shapes that do not fit.
        """
        if len(states) != self.layer_count:
            raise InputError(f"states: {len(states)} are given for {self.layer_count} layers")
        each = [state[None] if state.dim() == 3 else state for state in states]
        replicas = max(len(state) for state in each)
        for number, state in enumerate(each):
            if tuple(state.shape[1:]) != (3, *self.grid.shape) or len(state) not in (1, replicas):
                wanted = f"({replicas} or 1, 3, {self.grid.nx}, {self.grid.ny})"
                raise InputError(f"states[{number}]: shape {tuple(state.shape)} is not {wanted}")
        return torch.stack([state.expand(replicas, -1, -1, -1) for state in each], 1).flatten(0, 1)

    def split(self, m: Tensor) -> Tensor:
        """Values of rows, ``[row, …]``, by replica and layer, ``[replica, layer, …]``."""
        values: Tensor = m.unflatten(0, (-1, self.layer_count))
        return values

    def plot(
        self,
        magnetisation: Float[Tensor, "layer 3 nx ny"] | None = None,
        axes: Sequence[Axes] | None = None,
        *,
        component: str = "z",
    ) -> list[Axes]:
        """Draw maps of the magnetisation of one replica, a map for each layer, the top layer first.

        Args:
            magnetisation: Magnetisation ``[layer, 3, nx, ny]``. Default: anisotropy or filled fraction of each layer.
            axes: Axes to draw on, one for each layer. Default: those of a new figure.
            component: ``x``, ``y`` or ``z``.
        """
        return plot_stack(self, magnetisation, axes, component=component)

    def __repr__(self) -> str:
        return describe_stack(self).text()

    def _repr_html_(self) -> str:
        return describe_stack(self).html()

    def describe(self) -> dict[str, Any]:
        """Grid, layers and couplings as plain values, for the attributes of a result."""
        of_layers: dict[str, Any] = {}
        for name, layer in zip(self.layer_names, self.layers, strict=True):
            of_layers[f"{name}.thickness"] = layer.thickness
            shares = (layer.current, layer.magnet_current, layer.gate)
            if shares != (1.0, 1.0, 1.0):
                of_layers[f"{name}.shares"] = list(shares)
            constants = layer.film.material.stated()
            of_layers.update({f"{name}.material.{key}": value for key, value in constants.items()})
        film = {key: value for key, value in super().describe().items() if not key.startswith("material.")}
        return {
            **film,
            "layers": list(self.layer_names),
            "spacers": list(self.spacers),
            "couplings": [repr(coupling) for coupling in self.couplings],
            **of_layers,
        }
