"""Constants and drive of a system as the compiled kernel takes them, and what it cannot take."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.micromagnetics import compiled
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.integrators.lanes.maps import lane_maps, needs_maps, of_lanes
from barkhausen.micromagnetics.system import System
from barkhausen.micromagnetics.terms import (
    COMPILED,
    Demag,
    Exchange,
    InterfacialDMI,
    SpinOrbitTorque,
    Term,
    UniaxialAnisotropy,
    Zeeman,
    ZhangLi,
)


def why_not(
    terms: tuple[Term, ...], dtype: torch.dtype, device: torch.device | str, film: Film | None = None
) -> str | None:
    """Why the compiled kernel cannot compute this, or ``None`` if it can."""
    if not compiled.available():
        return compiled.unavailable_reason()
    if torch.device(device).type != "cpu":
        return f"it runs on the CPU, not on {device}"
    if dtype != torch.float32:
        return f"it computes in float32, not in {str(dtype).removeprefix('torch.')}"
    for term in terms:
        if type(term) not in COMPILED:
            return f"it does not know the term {type(term).__name__}"
    kinds = [type(term) for term in terms]
    if len(set(kinds)) < len(kinds):
        return "it takes each term once"
    return None if film is None else _why_not_film(film)


def _why_not_film(film: Film) -> str | None:
    """Why the compiled kernel cannot compute this film, or ``None`` if it can."""
    if film.layer_count > 1:
        return "it computes single films, not stacks"
    return "it computes films with free edges, not periodic ones" if any(film.grid.periodic) else None


def lane_problem(system: System) -> compiled.LaneProblem:
    """The constants of a system as the kernel takes them."""
    film, terms = system.film, {type(term): term for term in system.terms}
    grid, material = film.grid, film.material
    per_moment = 1.0 / material.saturation_magnetisation
    exchange = 2 * material.exchange_stiffness * per_moment if Exchange in terms else 0.0
    dmi = material.dmi * per_moment if InterfacialDMI in terms else 0.0
    anisotropy, anisotropy_x = lane_anisotropy(system)
    torque, maps = terms.get(SpinOrbitTorque), lane_maps(system)
    sigma = torque.polarisation if isinstance(torque, SpinOrbitTorque) else (0.0, -1.0, 0.0)
    return compiled.LaneProblem(
        nx=grid.nx,
        ny=grid.ny,
        exchange=(exchange / grid.dx**2, exchange / grid.dy**2),
        dmi=(dmi / grid.dx, dmi / grid.dy),
        anisotropy=anisotropy,
        gate_profile=None if system.gate_profile is None else system.gate_profile.to(torch.float64).numpy(),
        fill=None if film.fill is None else of_lanes(film.fill),
        demag=film.demag_kernel.numpy() if Demag in terms else None,
        damping=material.damping,
        # With maps, the current of each cell has its direction.
        polarisation=sigma if maps is not None else _turned(sigma, system.drive.current_direction),
        non_adiabaticity=material.non_adiabaticity,
        cell_x=grid.dx,
        anisotropy_x=anisotropy_x,
        maps=maps,
        transfers=ZhangLi in terms,
    )


def _turned(sigma: tuple[float, float, float], current: tuple[float, float]) -> tuple[float, float, float]:
    """Polarisation for a current in another direction of the film than x."""
    (px, py, pz), (x, y) = sigma, current
    return (x * px - y * py, y * px + x * py, pz) if current != (1.0, 0.0) else sigma


def lane_anisotropy(system: System) -> tuple[np.ndarray, np.ndarray | None]:
    """Anisotropy fields along z and along x of a system as the kernel takes them, shapes of cut cells included.

    With an easy axis other than z the first is along it, and :func:`.lane_maps` adds the shape's part along z.
    """
    film, kinds = system.film, {type(term) for term in system.terms}
    anisotropy = film.anisotropy_field if UniaxialAnisotropy in kinds else film.full(0.0, 1, 1, 1)
    if film.edge_field is None or Demag not in kinds:
        return of_lanes(anisotropy), None
    along_z = anisotropy if film.easy_axis is not None else anisotropy + film.edge_field[1]
    return of_lanes(along_z), of_lanes(film.edge_field[0])


def lane_drive(system: System, times: Float[Tensor, " time"]) -> np.ndarray:
    """The drive at these times as the kernel takes it, ``[time, 7, replica]``, or 9 with maps or a local field.

    Columns: B_DL, B_FL, change of 2 Ku/Ms, B_x, B_y, B_z (all T), drift velocity u (m/s); strength of the local field,
    factor of the thermal field.
    """
    kinds, material = {type(term) for term in system.terms}, system.film.material
    rows = len(times)
    # A constant drive is one row.
    table = system.drive.table(times if system.drive.constant is None else times[:1], system.replicas)
    columns = compiled.MAPPED_DRIVES if needs_maps(system) else compiled.DRIVES
    out = torch.zeros(len(table), columns, system.replicas, dtype=torch.float64)
    if SpinOrbitTorque in kinds:
        out[:, 0] = SpinOrbitTorque.field_per_current(system.film) * table[:, 0]
        out[:, 1] = material.field_like_ratio * out[:, 0]
    if UniaxialAnisotropy in kinds:
        out[:, 2] = 2.0 / material.saturation_magnetisation * table[:, 5]
    if Zeeman in kinds:
        out[:, 3:6] = table[:, 2:5]
    if ZhangLi in kinds:
        out[:, 6] = ZhangLi.drift_per_current(material) * table[:, 1]
    if columns > compiled.DRIVES:
        out[:, 8] = 1.0
        if system.field_profile is not None:
            out[:, 7] = table[:, 6]
    return np.broadcast_to(out.to(torch.float32).numpy(), (rows, columns, system.replicas))
