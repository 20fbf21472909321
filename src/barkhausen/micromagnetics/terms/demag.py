"""The demagnetising field: a convolution with the Newell tensor by FFT, padded where not periodic."""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.geometry.periodic_tensor import circular
from barkhausen.micromagnetics.layout import along_longer_axis
from barkhausen.micromagnetics.state import State
from barkhausen.micromagnetics.terms.base import QuadraticTerm


@dataclass(frozen=True, eq=False)
class Spectra:
    """Transforms of −mu0 Ms N on the padded grid; real, since N is even (xx, yy, zz) or odd in both offsets (xy).

    The longer axis is transformed first, by a real transform, and should be contiguous in memory: that is three times
    as fast as the other order, and rows known to be zero, or not needed again, are never transformed.
    """

    padded: tuple[int, int]
    long: int
    """Which of x (0) and y (1) is the longer axis."""
    xx: Float[Tensor, "kx ky 2"]
    yy: Float[Tensor, "kx ky 2"]
    zz: Float[Tensor, "kx ky 2"]
    xy: Float[Tensor, "kx ky 2"]
    """Each value twice, once for the real and once for the imaginary part it multiplies."""

    @staticmethod
    def of(film: Film) -> Spectra:
        """Compute them in float64, keep them in the film's precision."""
        nx, ny = film.grid.shape
        kernel = circular(film.demag_kernel, film.grid.periodic)
        long = 0 if nx >= ny else 1
        spectrum = torch.fft.fft(torch.fft.rfft(kernel, dim=1 + long), dim=2 - long).real
        spectrum = spectrum.to(film.full(0.0).device, film.dtype)
        # In memory as the transforms of a magnetisation with its longer axis contiguous.
        spectrum = along_longer_axis(spectrum[None])[0]
        xx, yy, zz, xy = spectrum[..., None].expand(*spectrum.shape, 2).clone()
        return Spectra((kernel.shape[1], kernel.shape[2]), long, xx, yy, zz, xy)


def forward(m: Float[Tensor, "row 3 nx ny"], padded: tuple[int, int], long: int) -> Tensor:
    """Transform of fields that zeros fill up to the padded size, the longer axis first."""
    first, second = 2 + long, 3 - long
    transform: Tensor = torch.fft.fft(torch.fft.rfft(m, n=padded[long], dim=first), n=padded[1 - long], dim=second)
    return transform


def backward(
    transform: Tensor, padded: tuple[int, int], long: int, cells: tuple[int, int]
) -> Float[Tensor, "row 3 nx ny"]:
    """Fields of a transform, without the padding."""
    first, second = 2 + long, 3 - long
    back = torch.fft.ifft(transform, dim=second).narrow(second, 0, cells[1 - long])
    fields: Tensor = torch.fft.irfft(back, n=padded[long], dim=first).narrow(first, 0, cells[long])
    return fields


def add_edge_field(out: Float[Tensor, "row 3 nx ny"], film: Film, m: Float[Tensor, "row 3 nx ny"]) -> None:
    """Add the correction of cells that an edge cuts (:attr:`Film.edge_field`) to a field in T."""
    if film.edge_field is not None:
        for component, factor in zip((0, 2), film.edge_field, strict=True):
            out[:, component].addcmul_(m[:, component], factor)


@dataclass(frozen=True)
class Demag(QuadraticTerm):
    """B_i = −mu0 Ms sum_j N_ij phi_j m_j (Newell, Williams and Dunlop 1993), one layer: xx, yy, zz, xy.

    Cells cut by an edge demagnetise themselves as :attr:`Film.edge_demag` says, if given.
    """

    _spectra: weakref.WeakKeyDictionary[Film, Spectra] = field(
        default_factory=weakref.WeakKeyDictionary, repr=False, compare=False
    )

    def spectra(self, film: Film) -> Spectra:
        """The transformed kernel of that film, computed once."""
        if film not in self._spectra:
            self._spectra[film] = Spectra.of(film)
        return self._spectra[film]

    def share_spectra(self, film: Film, other: Film) -> None:
        """Use the kernel of a film for another one of the same grid and saturation magnetisation."""
        if film in self._spectra:
            self._spectra[other] = self._spectra[film]

    def add_field(self, out: Float[Tensor, "replica 3 nx ny"], state: State) -> None:
        """Add the demagnetising field in T to ``out``."""
        film, m = state.film, state.m
        spectra = self.spectra(film)
        source = m if film.relative_moment is None else m * film.relative_moment[:, None]
        transform = forward(source, spectra.padded, spectra.long)
        x, y, z = torch.view_as_real(transform).unbind(1)
        along_x = torch.mul(spectra.xx, x).addcmul_(spectra.xy, y)
        y.mul_(spectra.yy).addcmul_(spectra.xy, x)
        x.copy_(along_x)
        z.mul_(spectra.zz)
        out += backward(transform, spectra.padded, spectra.long, film.grid.shape)
        add_edge_field(out, film, m)

    def stiffest_field(self, film: Film) -> float:
        """mu0 Ms in T, that of a thin film."""
        ratio = film.relative_magnetisation
        strongest = 1.0 if ratio is None else float(ratio.max())
        return VACUUM_PERMEABILITY * film.material.saturation_magnetisation * strongest
