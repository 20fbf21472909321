"""Stray field of the layers of a stack, in themselves and on each other."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.geometry.newell import zero_padded
from barkhausen.micromagnetics.geometry.newell_layers import interlayer_tensor
from barkhausen.micromagnetics.layout import along_longer_axis
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm
from barkhausen.micromagnetics.terms.demag import add_edge_field, backward, forward

if TYPE_CHECKING:
    from barkhausen.micromagnetics.stack.stack import Stack


@dataclass(frozen=True, eq=False)
class Spectra:
    """Transforms of −mu0 Ms N between all pairs of layers on the padded grid.

    Those of xx, yy, zz and xy are real, since N is even under a reflection of both offsets; those of xz and yz, which
    are odd, are i times a real one. With w = i z in the place of z all products are of real kernels.
    """

    padded: tuple[int, int]
    long: int
    """Which of x (0) and y (1) is the longer axis."""
    pairs: tuple[tuple[Float[Tensor, "6 kx ky 2"], ...], ...]
    """Kernel of each target layer and source layer; each value twice, for the real and the imaginary part."""

    @staticmethod
    def of(stack: Stack) -> Spectra:
        """Compute them in float64, keep them in the precision of the stack."""
        if any(stack.grid.periodic):
            raise InputError(
                "grid.periodic: the stray field of a periodic stack is not known here; use Stack(..., demag=False)"
            )
        grid, count = stack.grid, stack.layer_count
        known: dict[tuple[float, ...], tuple[Tensor, tuple[int, int]]] = {}

        def kernel(target: int, source: int) -> Tensor:
            thickness = stack.layers[target].thickness, stack.layers[source].thickness
            height = stack.heights[target] - stack.heights[source]
            # Equal distances differ by rounding.
            key = (round(height / grid.dz, 9), *(round(value / grid.dz, 9) for value in thickness))
            if key not in known:
                tensor = interlayer_tensor(
                    grid.nx, grid.ny, grid.dx, grid.dy, target=thickness[0], source=thickness[1], height=height
                )
                known[key] = _transformed(tensor, stack)
            return known[key][0]

        pairs = tuple(tuple(kernel(target, source) for source in range(count)) for target in range(count))
        padded = next(iter(known.values()))[1]
        return Spectra(padded, 0 if grid.nx >= grid.ny else 1, pairs)


def _transformed(tensor: Tensor, stack: Stack) -> tuple[Tensor, tuple[int, int]]:
    """Transforms of one tensor as the products take them, and the size of the padded grid."""
    kernel = zero_padded(tensor * (-VACUUM_PERMEABILITY * stack.material.saturation_magnetisation))
    long = 0 if stack.grid.nx >= stack.grid.ny else 1
    spectrum = torch.fft.fft(torch.fft.rfft(kernel, dim=1 + long), dim=2 - long)
    values = torch.cat((spectrum[:4].real, spectrum[4:].imag))
    values = along_longer_axis(values.to(stack.full(0.0).device, stack.dtype)[None])[0]
    return values[..., None].expand(*values.shape, 2).clone(), (kernel.shape[1], kernel.shape[2])


@dataclass(frozen=True)
class StackDemag(QuadraticTerm):
    """B_i = −mu0 sum_j N_ij Ms_j phi_j m_j over the cells of all layers (Newell, Williams and Dunlop 1993).

    Averaged over the cells, layers of any thickness and distance. Cells cut by an edge demagnetise themselves as
    :attr:`Film.edge_demag` says, if given.
    """

    _spectra: weakref.WeakKeyDictionary[Film, Spectra] = field(
        default_factory=weakref.WeakKeyDictionary, repr=False, compare=False
    )

    def spectra(self, film: Film) -> Spectra:
        """The transformed kernels of that stack, computed once.

        Raises:
            InputError: The film is no stack, or a periodic one.
        """
        if film not in self._spectra:
            if film.layer_count == 1:
                raise InputError("StackDemag: is for the layers of a Stack; a single film takes Demag")
            self._spectra[film] = Spectra.of(film)  # type: ignore[arg-type]
        return self._spectra[film]

    def share_spectra(self, old: Film, new: Film) -> None:
        """Let a stack of the same layers and distances use the kernels of another."""
        self._spectra[new] = self.spectra(old)

    def add_field(self, out: Float[Tensor, "row 3 nx ny"], state: State) -> None:
        """Add the stray field in T to ``out``."""
        film, m = state.film, state.m
        spectra = self.spectra(film)
        source = m if film.relative_density is None else m * film.relative_density[:, None]
        transform = forward(source, spectra.padded, spectra.long)
        product = _product(spectra.pairs, torch.view_as_real(transform).unflatten(0, (-1, film.layer_count)))
        back = torch.view_as_complex(product.flatten(0, 1))
        out += backward(back, spectra.padded, spectra.long, film.grid.shape)
        add_edge_field(out, film, m)

    def stiffest_field(self, film: Film) -> float:
        """Largest mu0 Ms in T, that of a thick film, which touching layers make up."""
        ratio = 1.0 if film.relative_magnetisation is None else float(film.relative_magnetisation.max())
        return VACUUM_PERMEABILITY * film.material.saturation_magnetisation * ratio


def _product(pairs: tuple[tuple[Tensor, ...], ...], m: Float[Tensor, "replica layer 3 kx ky 2"]) -> Tensor:
    """Kernels times the transforms of all layers, as real and imaginary parts."""
    out = torch.empty_like(m)
    x, y, z = m.unbind(2)
    turned = torch.view_as_real(torch.view_as_complex(z) * 1j)
    for target, row in enumerate(pairs):
        field_x, field_y, field_z = out[:, target].unbind(1)
        others = [source for source in range(len(row)) if source != target]
        xx, yy, _, xy, _, _ = row[target]
        torch.mul(xx, x[:, target], out=field_x).addcmul_(xy, y[:, target])
        torch.mul(xy, x[:, target], out=field_y).addcmul_(yy, y[:, target])
        mixed = torch.zeros_like(field_z)
        for source in others:
            xx, yy, _, xy, xz, yz = row[source]
            field_x.addcmul_(xx, x[:, source]).addcmul_(xy, y[:, source]).addcmul_(xz, turned[:, source])
            field_y.addcmul_(xy, x[:, source]).addcmul_(yy, y[:, source]).addcmul_(yz, turned[:, source])
            mixed.addcmul_(xz, x[:, source]).addcmul_(yz, y[:, source])
        field_z.copy_(torch.view_as_real(torch.view_as_complex(mixed) * 1j))
        for source, kernels in enumerate(row):
            field_z.addcmul_(kernels[2], z[:, source])
    return out
