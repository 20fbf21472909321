"""What the compiled kernel is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LaneProblem:
    """Constants of a simulation. Arrays are common to all replicas or have the replicas as first axis.

    Args:
        nx: Cells along x.
        ny: Cells along y, the faster axis; the shorter axis is best.
        exchange: 2A / (Ms d^2) in tesla along x and y.
        dmi: D / (Ms d) in tesla along x and y.
        anisotropy: 2K / Ms in tesla: shape (), (nx, ny) or (replicas, nx, ny).
        anisotropy_x: Anisotropy field along x from the shape of partly filled cells; None for 0.
        near_x, near_y: For the splitting: the stray field in tesla of the next cell along x and along y per component
            of its magnetisation, which ``demag`` then leaves out.
        gate_profile: Factor (nx, ny) of the driven change of anisotropy; None for 1.
        fill: Filled fraction of each cell, (nx, ny) or (replicas, nx, ny); None for 1.
        demag: Demagnetising tensor times -mu0 Ms in tesla, (4, 2 nx - 1, 2 ny - 1): xx, yy, zz, xy with offset (0, 0)
            in the middle; None to leave the stray field out.
        damping: Gilbert's alpha.
        polarisation: Unit vector of the spin-orbit torques.
        non_adiabaticity: Xi of the Zhang-Li torque.
        cell_x: Size of a cell along x in metres, for that torque.
    """

    nx: int
    ny: int
    exchange: tuple[float, float]
    dmi: tuple[float, float]
    anisotropy: np.ndarray
    gate_profile: np.ndarray | None
    fill: np.ndarray | None
    demag: np.ndarray | None
    damping: float
    polarisation: tuple[float, float, float]
    non_adiabaticity: float
    cell_x: float
    anisotropy_x: np.ndarray | None = None
    near_x: tuple[float, float, float] = (0.0, 0.0, 0.0)
    near_y: tuple[float, float, float] = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Outcome:
    """Result of a call of :meth:`LaneEnsemble.advance`.

    Args:
        deviation: For each replica, the largest ``| |m|^2 - 1 |`` met before renormalising, NaN included.
        failed_step: For each replica, the step at which it exceeded the limit, -1 if it did not. The replicas of
            the same block stopped after the same step.
    """

    deviation: np.ndarray
    failed_step: np.ndarray

    @property
    def completed(self) -> bool:
        """Whether every replica made all steps."""
        return bool((self.failed_step < 0).all())
