"""What the compiled kernel is given, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LaneMaps:
    """Parameters that differ from cell to cell, and the terms that films without them do not have.

    Arrays have the shape (1 or replicas, values, nx or 1, ny or 1); one replica stands for all, one cell for all.

    Args:
        bonds: Exchange and DMI in tesla, on a cell of the full moment, of the bond with the next cell along x, then
            along y: four values, 0 after the last cell.
        moment: Moment, 1/moment (0 where empty) and 1/Ms, relative to a full cell of the material.
        motion: Damping; 1/(1 + alpha^2) relative to the material's, 0 where frozen; thermal field relative to that of
            a full cell of the material.
        current: Current along x, along y, and its size; relative to the drive's and divided by the relative Ms.
        axis: Unit vector of the easy axis; None for z.
        anisotropy_z: With ``axis``, anisotropy field along z from the shape of partly filled cells; None for 0.
        local_field: Field in tesla per unit of the drive's local amplitude; None for none.
        cell_ratio: dx/dy.
        torques: Whether there are spin-orbit torques.
        cubic: -2 Kc / Ms in tesla.
        cubic_axes: Three unit vectors, one a row.
    """

    bonds: np.ndarray
    moment: np.ndarray
    motion: np.ndarray
    current: np.ndarray
    axis: np.ndarray | None = None
    anisotropy_z: np.ndarray | None = None
    local_field: np.ndarray | None = None
    cell_ratio: float = 1.0
    torques: bool = True
    cubic: float = 0.0
    cubic_axes: np.ndarray | None = None


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
        maps: Parameters that differ from cell to cell, in place of ``exchange``, ``dmi`` and ``damping``; None if none
            does.
        near_x, near_y: For the splitting: the stray field in tesla of the next cell along x and along y per component
            of its magnetisation, which ``demag`` then leaves out.
        coupled: For the splitting: whether exchange couples cells.
        gate_profile: Factor (nx, ny) of the driven change of anisotropy; None for 1.
        fill: Filled fraction of each cell, (nx, ny) or (replicas, nx, ny); None for 1.
        demag: Demagnetising tensor times -mu0 Ms in tesla, (4, 2 nx - 1, 2 ny - 1): xx, yy, zz, xy with offset (0, 0)
            in the middle; None to leave the stray field out.
        damping: Gilbert's alpha.
        polarisation: Unit vector of the spin-orbit torques.
        non_adiabaticity: Xi of the Zhang-Li torque.
        cell_x: Size of a cell along x in metres, for that torque.
        transfers: Whether there is a Zhang-Li torque; without it a drift velocity does nothing.
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
    maps: LaneMaps | None = None
    near_x: tuple[float, float, float] = (0.0, 0.0, 0.0)
    near_y: tuple[float, float, float] = (0.0, 0.0, 0.0)
    transfers: bool = True
    coupled: bool = False


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
