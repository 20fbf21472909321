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
        first, second = 2 + spectra.long, 3 - spectra.long
        transform = torch.fft.rfft(source, n=spectra.padded[first - 2], dim=first)
        transform = torch.fft.fft(transform, n=spectra.padded[second - 2], dim=second)
        x, y, z = torch.view_as_real(transform).unbind(1)
        along_x = torch.mul(spectra.xx, x).addcmul_(spectra.xy, y)
        y.mul_(spectra.yy).addcmul_(spectra.xy, x)
        x.copy_(along_x)
        z.mul_(spectra.zz)
        back = torch.fft.ifft(transform, dim=second).narrow(second, 0, m.shape[second])
        back = torch.fft.irfft(back, n=spectra.padded[first - 2], dim=first).narrow(first, 0, m.shape[first])
        out += back
        if film.edge_field is not None:
            for component, factor in zip((0, 2), film.edge_field, strict=True):
                out[:, component].addcmul_(m[:, component], factor)

    def stiffest_field(self, film: Film) -> float:
        """mu0 Ms in T, that of a thin film."""
        ratio = film.relative_magnetisation
        strongest = 1.0 if ratio is None else float(ratio.max())
        return VACUUM_PERMEABILITY * film.material.saturation_magnetisation * strongest
