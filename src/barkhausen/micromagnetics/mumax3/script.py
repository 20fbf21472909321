"""mumax3 script of one replica of a simulation, to check it with another code.

What the script sets is what our terms compute (mumax3: Vansteenkiste et al., AIP Advances 4, 107133 (2014); formulas
from its source, version 3.11.1):

- Spin-orbit torque. mumax3's Slonczewski torque is, in the Gilbert equation, beta [eps m × (p × m) + eps' p × m] with
  beta = hbar Jz/(e Ms t) and, for ``Lambda`` = 1, eps = ``Pol``/2. Ours is the field B_DL m × sigma + B_FL sigma, and a
  field B turns m by −m × B, here by B_DL m × (sigma × m) + B_FL sigma × m. They are equal if p = sigma = −y,
  ``Pol`` Jz = theta_SH J, and eps' = ratio × ``Pol``/2.
- Zhang-Li torque: the same formula but for the slope of m (below), with ``Pol`` Jx = P J. mumax3 has one ``Pol`` for
  both torques; where both are used it is 1, and the products are written into J.
- ``Dind`` has our sign; ``OpenBC = true`` leaves out a missing bond, as we do.
- Currents, fields and Ku are sums of ramps min(max((t − t0)/T, 0), 1) and steps: what a waveform is.

What differs is written into the head of every script. Above all: the filled fraction of a cell that an edge cuts enters
the demagnetising field of mumax3 alone. Exchange, DMI and thermal field are there those of a full cell (here: the
smaller fraction of two cells, and 1/sqrt(fraction)), and the cell's own demagnetisation is not put right (here
:mod:`.edge_demag`). A track that fills its cells has none of this. The slope of m in the Zhang-Li torque is a central
difference in mumax3 and of the fourth order here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.core.seeds import mixed_seed
from barkhausen.core.units import GYROMAGNETIC_RATIO
from barkhausen.micromagnetics.excitation.drive import Drive
from barkhausen.micromagnetics.excitation.waveform import Waveform
from barkhausen.micromagnetics.film import Film
from barkhausen.micromagnetics.geometry.outline import TrackOutline
from barkhausen.micromagnetics.integrators import advise_step
from barkhausen.micromagnetics.mumax3.limits import check_film
from barkhausen.micromagnetics.mumax3.shapes import boxes, shape_of_outline, shape_of_places
from barkhausen.micromagnetics.states import domain_wall
from barkhausen.micromagnetics.terms import standard_terms
from barkhausen.version import __version__

SAME_OUTLINE = 0.15
"""Filled fractions of a film and of the outline it was made from differ by less: cells below 0.05 were emptied, and the
steep flanks of a notch are found to 1/16 of a cell."""

Start = float | Sequence[float] | Path | str


def mumax3_script(
    film: Film,
    drive: Drive | None = None,
    *,
    duration: float,
    replica: int = 0,
    seed: int = 0,
    temperature: float = 0.0,
    initial: Start | None = None,
    left: int = 1,
    dt: float | None = None,
    every: float | None = None,
    snapshots_every: float | None = None,
    outline: TrackOutline | None = None,
    devices_seed: int = 0,
    edge_smooth: int = 8,
    maximal_regions: int = 200,
) -> str:
    """Complete .mx3 script of one replica of ``simulate(film, drive, …)`` with the standard terms.

    The same arguments give the same text. The default step is the one :func:`simulate` takes for the whole family.

    Args:
        film: Grid, material, and each replica's shape and anisotropy.
        drive: Drive, as for :func:`simulate`. Default: none.
        duration: Simulated time in s.
        replica: Number of the replica.
        seed: Seed of the thermal noise; mumax3 draws other numbers from it, different for each replica.
        temperature: Temperature in K.
        initial: Position in m from the left end of one wall with the profile of :func:`domain_wall`, a direction (three
            numbers), or the path of an OVF file as mumax3 will see it; default one wall in the middle.
        left: Direction of the left domain: 1 up, −1 down.
        dt: Step in s; default what :func:`advise_step` recommends, fitted to ``every``.
        every: Time between rows of the table in s; default a hundredth of the duration.
        snapshots_every: Time between OVF files in s; ``None``: only the last state is saved.
        outline: Outline from which :func:`track_film` made ``film``. Then the edges are written in metres, in pieces of
            at most 0.5 nm, and mumax3 finds the filled fractions itself at ``edge_smooth``² places of each cell, so
            that the cells may be changed in the script. Without it each cell gets the film's own filled fraction,
            rounded by at most 1/(2 ``edge_smooth``²).
        devices_seed: Seed that was given to :func:`track_film`.
        edge_smooth: Mumax3's ``EdgeSmooth``, an even number from 2 to 32.
        maximal_regions: 1 to 256. Where Ku (with the gate's profile) takes more values it is rounded to the middle of
            equal intervals; the head of the script says by how much.

    Raises:
        InputError: An argument is wrong, the parts do not fit each other, or the outline is not that of the film.
    """
    drive = drive or Drive()
    check_film(film)
    drive.check_effect(film.material, standard_terms(film.material))
    _check_replica(film, drive, replica)
    for name, value, low, high in (
        ("edge_smooth", edge_smooth, 2, 32), ("maximal_regions", maximal_regions, 1, 256), ("seed", seed, 0, 2**63 - 1),
    ):  # fmt: skip
        if not (isinstance(value, Integral) and low <= value <= high):
            raise InputError(f"{name} = {value}: must be a whole number, {low} to {high}")
    if edge_smooth % 2:
        raise InputError(f"edge_smooth = {edge_smooth}: must be even")
    if left not in (1, -1):
        raise InputError(f"left = {left}: must be 1 (up) or -1 (down)")
    if not (math.isfinite(temperature) and temperature >= 0):
        raise InputError(f"temperature = {temperature}: must be zero or positive, in K")
    times = _Times.of(film, drive, (duration, every, snapshots_every, dt), temperature)
    device = 0 if film.devices == 1 else replica
    if film.devices > 1 and film.device_of_replica is not None:
        device = int(film.device_of_replica[replica])
    one, own = film.select(torch.tensor([int(replica)])), drive.select(torch.tensor([int(replica)]))
    remarks: list[str] = []
    parts = [
        _geometry(one, outline, device, devices_seed, edge_smooth, remarks),
        _constants(one),
        _anisotropy(one, own, times, maximal_regions, remarks),
        _currents(one, own, times, remarks),
        _field(own, times),
        _start(one, initial, left),
        _run(one, times, temperature, mixed_seed(int(seed), int(replica)), left, remarks),
    ]
    which = f"replica {replica} (device {device}), seed {seed}, {temperature:g} K"
    return "\n".join(line for part in (_head(one, own, times, remarks, which), *parts) if part for line in (*part, ""))


@dataclass(frozen=True)
class _Times:
    """Durations in s."""

    duration: float
    every: float
    snapshots: float | None
    dt: float

    @staticmethod
    def of(film: Film, drive: Drive, given: Sequence[float | None], temperature: float) -> _Times:
        for name, value in zip(("duration", "every", "snapshots_every", "dt"), given, strict=True):
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} = {value}: must be a positive time in s")
        duration, every, snapshots, dt = (None if value is None else float(value) for value in given)
        assert duration is not None
        every = duration / 100 if every is None else every
        advice = advise_step(film, drive, temperature=temperature, dt=dt)
        if dt is not None and dt > advice.stable:
            raise InputError(advice.verdict)
        fitted = every / math.ceil(every / advice.recommended * (1 - 1e-9))
        return _Times(duration, every, snapshots, fitted if dt is None else dt)

    def expression(self, wave: Waveform, scale: float = 1.0) -> str:
        """Scale times the waveform of one replica as a function of t; a plain number if it is constant in the run."""
        knots, values = wave.times[:, 0].tolist(), (scale * wave.values[:, 0]).tolist()
        start = scale * float(wave(torch.zeros(1))[0, 0])
        terms = [_number(start)] if start else []
        for t0, t1, v0, v1 in zip(knots, knots[1:], values, values[1:], strict=False):
            if t1 <= 0 or t0 >= self.duration - 0.5 * self.dt or v0 == v1:
                continue
            if t0 == t1:
                # At a step the later value holds. mumax3 adds up its time, so the step stands a little earlier.
                terms.append(f"{_number(v1 - v0)}*heaviside(t - {_number(t0 - 1e-3 * self.dt)})")
            elif t0 <= 0:
                terms.append(f"{_number(v1 - start)}*min(t/{_number(t1)}, 1)")
            else:
                terms.append(f"{_number(v1 - v0)}*min(max((t - {_number(t0)})/{_number(t1 - t0)}, 0), 1)")
        return " + ".join(terms or ["0"]).replace("+ -", "- ")


def _check_replica(film: Film, drive: Drive, replica: int) -> None:
    counts = {film.devices, *(wave.replicas for wave in drive.waveforms.values())} - {1}
    count = max(counts, default=None) if film.device_of_replica is None else len(film.device_of_replica)
    if count is not None:
        film.check_replicas(count)
        drive.check_replicas(count)
    if not (isinstance(replica, Integral) and 0 <= replica < (math.inf if count is None else count)):
        raise InputError(
            f"replica = {replica}: must be a whole number, 0 {'or more' if count is None else f'to {count - 1}'}"
        )


def _head(film: Film, drive: Drive, times: _Times, remarks: Sequence[str], which: str) -> list[str]:
    driven = json.loads(drive.describe())
    if "gate_profile" in driven:
        driven["gate_profile"] = "in the regions below"
    lines = [
        f"Written by barkhausen {__version__}: {which}.",
        f"Duration {times.duration:g} s, step {times.dt:g} s, a row of the table every {times.every:g} s.",
        f"Material: {film.material.source or 'no source given'}",
        f"Film: {film.origin or 'no origin given'}",
        f"Drive: {json.dumps(driven)}",
        "",
        "Not identical to barkhausen:",
        *(f"- {remark}" for remark in remarks),
        "- The demagnetising kernel of mumax3 is integrated numerically (DemagAccuracy), ours is Newell's.",
        "- hbar, e, muB and kB differ by up to 1e-6. GammaLL is set to our value.",
        "- Rows of the table, and steps of the drive, come at the first time step at or after their time.",
    ]
    return [f"// {' '.join(line.split())}".rstrip() for line in lines]


def _geometry(  # noqa: PLR0917 (the arguments of the one caller)
    film: Film, outline: TrackOutline | None, device: int, seed: int, smooth: int, remarks: list[str]
) -> list[str]:
    grid = film.grid
    lines = [
        f"SetGridSize({grid.nx}, {grid.ny}, 1)",
        f"SetCellSize({', '.join(map(_number, (grid.dx, grid.dy, grid.dz)))})",
    ]
    fill = torch.ones(grid.shape, dtype=torch.float64) if film.fill is None else film.fill[0].to(torch.float64)
    if outline is not None:
        off = float((outline.coverage(grid, device + 1, seed)[device] - fill).abs().max())
        if off > SAME_OUTLINE:
            raise InputError(
                f"outline: this film was not made from it with devices_seed = {seed} (device {device}): filled "
                f"fractions differ by up to {off:.2f}"
            )
    if bool((fill == 1).all()):
        return lines
    remarks.append(
        "Filled fractions of cells that an edge cuts enter the demagnetisation alone in mumax3, not exchange, DMI and "
        "thermal field, and the stray field of the edges is not put right. Compare pinning on cells of 1 nm."
    )
    if outline is not None:
        remarks.append(f"Filled fractions are counted by mumax3 itself, at {smooth} x {smooth} places of a cell.")
        return [*lines, f"EdgeSmooth = {smooth}", *shape_of_outline(grid, outline, device, seed)]
    places = (fill * smooth**2).round().to(torch.int64)
    error = float((places / smooth**2 - fill).abs().max())
    remarks.append(f"Filled fractions are rounded to 1/{smooth**2}, by up to {error:.2g}.")
    return [*lines, f"EdgeSmooth = {smooth}", *shape_of_places(grid, places, smooth)]


def _constants(film: Film) -> list[str]:
    material = film.material
    values = {
        "GammaLL": GYROMAGNETIC_RATIO,
        "Msat": material.saturation_magnetisation,
        "Aex": material.exchange_stiffness,
        "alpha": material.damping,
    }
    lines = [f"{name} = {_number(value)}" for name, value in values.items()]
    if material.dmi:
        lines += [f"Dind = {_number(material.dmi)}", "OpenBC = true // a bond that is missing at an edge is left out"]
    return lines


def _anisotropy(film: Film, drive: Drive, times: _Times, limit: int, remarks: list[str]) -> list[str]:
    """Ku1(region, t): the film's, and what the gate adds."""
    grid, change = film.grid, "0"
    base = torch.full(grid.shape, film.material.anisotropy, dtype=torch.float64)
    if film.anisotropy is not None:
        base = film.anisotropy[0].to(torch.float64)
    share = torch.ones_like(base)
    if drive.gate is not None:
        change = times.expression(drive.waveform("gate_voltage"), drive.gate.anisotropy_per_volt)
    if change != "0" and drive.gate_profile is not None:
        share = drive.gate_profile.to(torch.float64)
        if share.shape != base.shape:
            raise InputError(f"drive.gate_profile: shape {tuple(share.shape)} is not {grid.shape}")

    def value(ku: float, part: float) -> str:
        if "t" not in change:
            return _number(ku + part * float(change))
        return f"{_number(ku)} + {change if part == 1 else f'{_number(part)}*({change})'}".replace("+ -", "- ")

    present = torch.ones(grid.shape, dtype=torch.bool) if film.filled is None else film.filled[0]
    pairs = torch.stack((base, share), dim=-1)[present]
    rounded = pairs if len(torch.unique(pairs, dim=0)) <= limit else _rounded(pairs, limit)
    values, index, cells = torch.unique(rounded, dim=0, return_inverse=True, return_counts=True)
    if rounded is not pairs:
        ku, part = (rounded - pairs).abs().amax(0).tolist()
        profile = f", the gate's profile by up to {part:.2g}" if part else ""
        remarks.append(f"Ku in {len(values)} regions is rounded by up to {ku:.3g} J/m3{profile}.")
    # Region 0, which all cells belong to at first, is that of the commonest value.
    order = cells.argsort(descending=True, stable=True)
    labels = torch.zeros(grid.shape, dtype=torch.int64)
    labels[present] = order.argsort()[index]
    table = [value(ku, part) for ku, part in values[order].tolist()]
    lines = ["anisU = vector(0, 0, 1)", f"Ku1 = {table[0]}"]
    lines += [f"DefRegion({label}, {box})" for box, label in boxes(grid, labels)]
    return lines + [f"Ku1.SetRegion({label}, {text})" for label, text in enumerate(table) if label]


def _rounded(pairs: Float[Tensor, "cell 2"], limit: int) -> Float[Tensor, "cell 2"]:
    """At most ``limit`` different pairs; the quantity of fewer values keeps them if they leave room for the other."""
    columns = list(pairs.T)
    counts = [len(column.unique()) for column in columns]
    few = 0 if counts[0] <= counts[1] else 1
    levels = min(counts[few], math.isqrt(limit))
    for which, number in ((few, levels), (1 - few, limit // levels)):
        low, high = float(columns[which].min()), float(columns[which].max())
        if counts[which] > number:
            width = (high - low) / number
            middle = ((columns[which] - low) / width).floor().clamp(0, number - 1) + 0.5
            columns[which] = low + width * middle
    return torch.stack(columns, dim=1)


def _currents(film: Film, drive: Drive, times: _Times, remarks: list[str]) -> list[str]:
    """Spin-orbit and Zhang-Li torque (the head of this file says how ``Pol`` and ``J`` come about)."""
    material = film.material
    heavy, magnet = drive.waveform("current_density"), drive.waveform("magnet_current_density")
    if heavy.is_zero and magnet.is_zero:
        return []
    if magnet.is_zero:
        polarisation, across, along = material.spin_hall_angle, 1.0, 0.0
    elif heavy.is_zero:
        polarisation, across, along = material.spin_polarisation, 0.0, 1.0
    else:
        polarisation, across, along = 1.0, material.spin_hall_angle, material.spin_polarisation
    lines = [f"Pol = {_number(polarisation)}"]
    if heavy.is_zero:
        lines.append("DisableSlonczewskiTorque = true")
    else:
        lines += ["Lambda = 1", f"EpsilonPrime = {_number(material.field_like_ratio * polarisation / 2)}"]
        lines.append("FixedLayer = vector(0, -1, 0) // spins that arrive for a current along +x")
    if magnet.is_zero:
        lines.append("DisableZhangLiTorque = true")
    else:
        lines.append(f"xi = {_number(material.non_adiabaticity)}")
        remarks.append(
            "Zhang-Li drift: 0.08 % faster in mumax3, which divides by 1.7595e11 whatever GammaLL; at an empty cell "
            "its derivative takes the missing neighbour for zero."
        )
        remarks.append(
            "Zhang-Li slope of m: central differences in mumax3, of the fourth order here but in the two columns at "
            "either end. Walls with xi different from alpha are slower there: compare on small cells."
        )
    return [*lines, f"J = vector({times.expression(magnet, along)}, 0, {times.expression(heavy, across)})"]


def _field(drive: Drive, times: _Times) -> list[str]:
    waves = [drive.waveform(f"field_{axis}") for axis in "xyz"]
    used = any(not wave.is_zero for wave in waves)
    return [f"B_ext = vector({', '.join(times.expression(wave) for wave in waves)})"] if used else []


def _start(film: Film, initial: Start | None, left: int) -> list[str]:
    grid = film.grid
    if isinstance(initial, str | Path):
        path = initial.as_posix() if isinstance(initial, Path) else initial
        if not path or any(sign in path for sign in '"\\\n\r'):
            raise InputError(f"initial = {path!r}: must be a path, without quotation marks and backslashes")
        return [f'm.LoadFile("{path}")']
    if initial is None and film.material.effective_anisotropy <= 0:
        initial = (1.0, 0.0, 0.0)
    if initial is not None and not isinstance(initial, float | int):
        try:
            direction = [float(component) for component in initial]
        except (TypeError, ValueError):
            raise InputError(
                "initial: must be a place, three numbers, or the path of an OVF file; write_ovf saves a magnetisation"
            ) from None
        if len(direction) != 3 or not (all(map(math.isfinite, direction)) and any(direction)):
            raise InputError(f"initial = {direction}: must be a place, a path, or three numbers, not all zero")
        return [f"m = Uniform({', '.join(map(_number, direction))})"]
    place = grid.length / 2 if initial is None else float(initial)
    # Refuses a place off the film; and of its Néel walls the one that the DMI prefers is meant.
    domain_wall(film, place, left=left)
    dx, half = _number(grid.dx), _number(grid.length / 2)
    wall, side = "" if left * film.material.dmi <= 0 else "-", "-" if left == 1 else ""
    return [
        f"// One wall {place:g} m from the left end, m_z = {side}tanh(u), column by column.",
        f"for i := 0; i < {grid.nx}; i++ {{",
        f"    u := ((i + 0.5)*{dx} - {_number(place)})/{_number(film.material.wall_width)}",
        f"    column := XRange(i*{dx} - {half}, (i + 1)*{dx} - {half})",
        f"    m.SetInShape(column, Uniform({wall}1/cosh(u), 0, {side}tanh(u)))",
        "}",
    ]


def _run(  # noqa: PLR0917
    film: Film, times: _Times, temperature: float, seed: int, left: int, remarks: list[str]
) -> list[str]:
    grid = film.grid
    lines = ["SetSolver(2) // Heun", f"FixDt = {_number(times.dt)}"]
    if temperature:
        lines += [f"Temp = {_number(temperature)}", f"ThermSeed({seed})"]
        remarks.append("Thermal noise: the same distribution, other numbers. Compare ensembles.")
        if grid.cells % 2:
            remarks.append("mumax3 needs an even number of cells for its noise, and may stop with this grid.")
    remarks.append("wall_position is that of the mean m_z; ours is where m_z, averaged over the width, changes sign.")
    # The mean of m is over the material, which may end within the last column of cells.
    length = grid.dx * (grid.nx if film.fill is None else float(film.fill[0].amax(1).sum()))
    place = f"{_number(length / 2)}*(1 {'+' if left == 1 else '-'} m.Comp(2).Average())"
    lines += [f'TableAddVar({place}, "wall_position", "m")', f"TableAutoSave({_number(times.every)})"]
    lines += [] if times.snapshots is None else [f"AutoSave(m, {_number(times.snapshots)})"]
    # Half a step less: mumax3 adds its steps up until they reach the time, and rounding might cost one more.
    return [*lines, f"Run({_number(times.duration)} - FixDt/2)", "TableSave()", 'SaveAs(m, "final")']


def _number(value: float) -> str:
    return f"{value:.12g}"
