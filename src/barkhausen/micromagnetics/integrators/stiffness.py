"""The field that the fastest mode of a film precesses in, from the terms in use."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.state import Inputs, State
from barkhausen.micromagnetics.terms import Demag, Exchange, InterfacialDMI, Term, UniaxialAnisotropy

ITERATIONS = 30
"""Power iterations of an estimate; a film's stiffest mode is known to a per cent or two after them."""

ESTIMATE_MARGIN = 1.1
"""By how much an estimate is raised: power iterations come from below."""


def stiffest_fields(film: Film, drive: Drive | None, terms: Sequence[Term]) -> tuple[float, float]:
    """Field in T that holds the stiffest mode of the film, and what the drive adds to it at most.

    Fields of different terms add up, with two exceptions. Anisotropy out of the plane holds a film magnetised out of
    the plane, demagnetisation one in the plane, never both. The DMI, odd in the wave vector, does not act on the
    checkerboard that exchange holds most.
    """
    drive = Drive() if drive is None else drive
    held: dict[type[Term], float] = {}
    driven = 0.0
    for term in terms:
        field = term.stiffest_field(film)
        if field is None:
            field = estimated_field(film, drive, term)
        held[type(term)] = held.get(type(term), 0.0) + field
        driven += term.driven_field(film, drive)
    total = max(held.pop(Exchange, 0.0), held.pop(InterfacialDMI, 0.0))
    if film.easy_axis is None:
        total += max(held.pop(UniaxialAnisotropy, 0.0), held.pop(Demag, 0.0))
    return total + sum(held.values()), driven


def estimated_field(film: Film, drive: Drive, term: Term) -> float:
    """Stiffest field in T of a term that does not say it, under the largest inputs of the drive.

    Power iterations on what governs small rotations v of the film uniformly magnetised along x, y and z: v -> P [(m ·
    B) v − dB/dm v], P the projection perpendicular to m. Its largest eigenvalue is the curvature that the fastest mode
    precesses in; a field that is not along an axis counts whole.
    """
    film = film.select(torch.arange(film.devices)) if film.device_of_replica is None else _each_device(film)
    film = film.to(torch.float64)
    rows = film.devices * film.layer_count
    inputs = _largest_inputs(drive, rows)
    profile = None if drive.gate_profile is None else drive.gate_profile.to(torch.float64)
    largest = 0.0
    for axis in range(3):
        m = torch.zeros(rows, 3, *film.grid.shape, dtype=torch.float64)
        m[:, axis] = 1.0
        if film.filled is not None:
            m *= film.filled[:, None]
        applied = torch.linalg.vector_norm(term.field(State(film, m, inputs, profile)), dim=1)
        largest = max(largest, float(applied.max()), _spectral_radius(film, term, m, inputs, profile))
    return ESTIMATE_MARGIN * largest


def _spectral_radius(film: Film, term: Term, m: Tensor, inputs: Inputs, profile: Tensor | None) -> float:
    small = 1e-4
    base = term.field(State(film, m, inputs, profile))
    held = (m * base).sum(1, keepdim=True)
    filled = m.square().sum(1, keepdim=True)

    def tangent(v: Tensor) -> Tensor:
        along: Tensor = (m * v).sum(1, keepdim=True)
        return v * filled - along * m

    v = tangent(torch.randn(m.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0)))
    radius = 0.0
    for _ in range(ITERATIONS):
        v = v / torch.linalg.vector_norm(v).clamp_min(1e-300)
        change = (term.field(State(film, m + small * v, inputs, profile)) - base) / small
        v = tangent(held * v - change)
        radius = float(torch.linalg.vector_norm(v))
    return radius


def _each_device(film: Film) -> Film:
    """Film with one replica for each device."""
    return film.assign(torch.arange(film.devices)).select(torch.arange(film.devices))


def _largest_inputs(drive: Drive, rows: int) -> Inputs:
    """The largest magnitude of every input."""
    peak = {name: torch.full((rows,), wave.peak, dtype=torch.float64) for name, wave in drive.waveforms.items()}
    per_volt = 0.0 if drive.gate is None else drive.gate.anisotropy_per_volt
    field = torch.stack([peak[f"field_{axis}"] for axis in "xyz"])
    return Inputs(peak["current_density"], peak["magnet_current_density"], field, per_volt * peak["gate_voltage"])
