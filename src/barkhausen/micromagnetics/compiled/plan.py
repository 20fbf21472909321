"""Padded lengths, stages, factors and orderings of the transforms, and the tensor's spectra in those orders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from barkhausen.micromagnetics.compiled.layout import MAX_STAGES, AxisArguments

RADIX_COST = {8: 1.0, 5: 1.05, 4: 0.8, 3: 0.75, 2: 0.6}
"""Time of one stage per value, relative to radix 8; from timings, only their ratios matter."""

OUTERMOST_COST = {8: 0.75, 4: 0.5, 2: 0.3}
"""The same of the outermost stage, which skips half of its values."""

ASYMMETRY_LIMIT = 1e-5
"""The tensor of a film is even (xy: odd) in each offset; its rounding may break that by this fraction."""


@cache
def _best_stages(length: int, outermost: bool) -> tuple[float, tuple[int, ...]]:
    """Cost per value and radices, outermost first, of a transform; infinite if its length has other factors."""
    if length == 1:
        return 0.0, ()
    best: tuple[float, tuple[int, ...]] = (float("inf"), ())
    for radix, cost in (OUTERMOST_COST if outermost else RADIX_COST).items():
        if length % radix == 0:
            rest, stages = _best_stages(length // radix, outermost=False)
            best = min(best, (rest + cost, (radix, *stages)))
    return best


def padded_length(cells: int) -> int:
    """The cheapest transform that holds a line of so many cells and its padding: 1 or an even number."""
    if cells == 1:
        return 1
    least = 2 * cells
    power = 1 << (least - 1).bit_length()
    lengths = range(least, power + 1, 2)
    return min(lengths, key=lambda length: (length * _best_stages(length, True)[0], length))


@dataclass(frozen=True)
class AxisPlan:
    """How lines along one axis are transformed.

    Args:
        cells: Number of cells of the film.
        length: Padded length.
        stages: Radices, outermost first.
        twiddle: Factors of all stages one after the other, as in ``struct Axis``.
        frequency: Frequency at each position of the permuted spectrum.
        position: Inverse of ``frequency``.
        partner: For each position, the position of the opposite frequency.
    """

    cells: int
    length: int
    stages: tuple[int, ...]
    twiddle: np.ndarray
    frequency: np.ndarray
    position: np.ndarray
    partner: np.ndarray

    def arguments(self) -> AxisArguments:
        """For the kernel; valid while this plan lives."""
        radix = (*self.stages, *[0] * (MAX_STAGES - len(self.stages)))
        return AxisArguments(
            cells=self.cells,
            length=self.length,
            stages=len(self.stages),
            radix=radix,
            twiddle=self.twiddle.ctypes.data,
            position=self.position.ctypes.data,
            partner=self.partner.ctypes.data,
        )


def plan_axis(cells: int) -> AxisPlan:
    """The plan for lines of so many cells."""
    length = padded_length(cells)
    stages = _best_stages(length, True)[1]
    twiddles: list[np.ndarray] = [np.zeros(0, dtype=np.complex64)]
    block = length
    for radix in stages:
        angle = np.outer(np.arange(block // radix), np.arange(1, radix)) / block
        twiddles.append(np.exp(-2j * np.pi * angle).astype(np.complex64).ravel())
        block //= radix
    frequency = np.zeros(1, dtype=np.int64)
    for radix in reversed(stages):
        frequency = (np.arange(radix)[:, None] + radix * frequency).ravel()
    position = np.argsort(frequency)
    return AxisPlan(
        cells=cells,
        length=length,
        stages=stages,
        twiddle=np.ascontiguousarray(np.concatenate(twiddles)).view(np.float32),
        frequency=frequency,
        position=position.astype(np.int32),
        partner=position[-frequency % length].astype(np.int32),
    )


@dataclass(frozen=True)
class Spectra:
    """The tensor's spectra as the kernel reads them.

    Args:
        column_pair: (pairs, 2): rows of the in-plane spectrum with opposite frequency along y.
        in_plane: (pairs, length along x, 3): half the sum and difference of xx and yy, and xy.
        normal: (length along y // 2 + 1, length along x): half of zz.
    """

    column_pair: np.ndarray
    in_plane: np.ndarray
    normal: np.ndarray


def tensor_spectra(demag: np.ndarray, along_x: AxisPlan, along_y: AxisPlan) -> Spectra:
    """From the real-space tensor (xx, yy, zz, xy) over all offsets."""
    nx, ny = along_x.cells, along_y.cells
    tensor = np.asarray(demag, dtype=np.float64)
    if tensor.shape != (4, 2 * nx - 1, 2 * ny - 1):
        raise ValueError(f"demag: shape {tensor.shape}, expected {(4, 2 * nx - 1, 2 * ny - 1)}")
    limit = ASYMMETRY_LIMIT * np.abs(tensor).max()
    parity = np.array([1.0, 1.0, 1.0, -1.0])[:, None, None]
    if not max(np.abs(tensor - parity * tensor[:, ::-1]).max(), np.abs(tensor - parity * tensor[..., ::-1]).max()) <= (
        limit
    ):
        raise ValueError("demag: xx, yy and zz must be even and xy odd in each offset")
    lengths = (along_x.length, along_y.length)
    circular = np.zeros((4, *lengths))
    rows, columns = np.arange(1 - nx, nx) % lengths[0], np.arange(1 - ny, ny) % lengths[1]
    circular[:, rows[:, None], columns] = tensor
    # Even under inversion, so real.
    xx, yy, zz, xy = np.fft.fft2(circular).real[:, along_x.frequency].transpose(0, 2, 1) / (lengths[0] * lengths[1])
    half = np.arange(lengths[1] // 2 + 1)
    pairs = np.stack([along_y.position[half], along_y.position[-half % lengths[1]]], axis=1)
    in_plane = np.stack([(xx + yy) / 2, (xx - yy) / 2, xy], axis=-1)[half]
    return Spectra(
        column_pair=np.ascontiguousarray(pairs, dtype=np.int32),
        in_plane=np.ascontiguousarray(in_plane, dtype=np.float32),
        normal=np.ascontiguousarray(zz[half] / 2, dtype=np.float32),
    )
