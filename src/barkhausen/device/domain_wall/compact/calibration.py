"""Calibration of the compact model on a small set of micromagnetic runs, and its test on held-out runs.

Which run identifies which parameter:

- ``demag_factor``: the width of a relaxed wall, 2 Delta w t = −dE/dKu = ∫ (1 − m_z²) dV less that of a domain, at
  every gate voltage; Keff = A/Delta².
- ``neel_cost``, ``edge_cost``: the stray field's energies of rigid walls, Néel and Bloch, of the least and the greatest
  of those widths.
- ``order``: mean m_z of a domain at the temperature, over that at T = 0.
- ``dmi_factor``, ``damping_factor``, ``drive_factor``: where the wall is during and after a current pulse on a plain
  track. The velocity saturates at gamma pi D/(2 Ms); its rise goes with the torque; what the wall still covers after
  the pulse is Delta psi/alpha.
- ``pinning_factor``: the current at which a notch lets go of a wall in it when the current rises steadily (psi is 0
  until then), for several notches and gate voltages. A ramp gives a number for each replica, a pulse only yes or no.
- ``twist_factor``, and the damping once more: the current of a pulse that drives half of the walls past these notches.
  They come with psi turned, and pass or swing in the notch.

Held out are pulses that drive a wall against a notch of another shape, and other currents and gate voltages on the
plain track.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy.optimize import least_squares

from barkhausen.core.config import Parameters
from barkhausen.core.progress import Progress
from barkhausen.core.units import VACUUM_PERMEABILITY
from barkhausen.device.domain_wall.compact.calibration_notches import Pulses, Ramps, half_passed
from barkhausen.device.domain_wall.compact.calibration_runs import Bench, Paths, standard_error
from barkhausen.device.domain_wall.compact.model import CompactParameters
from barkhausen.micromagnetics import (
    Demag,
    Film,
    Gate,
    MeanMagnetisation,
    Notch,
    System,
    domain_wall,
    minimize,
    uniform,
)

TRUST = {"twist_factor": 0.5, "damping_factor": 0.4}
"""Expected deviation of the logarithm of a factor from its initial value, which settles undetermined factors. Default:
0.2."""

LARGEST = {"twist_factor": 1.0}
"""Upper bound of a factor; here that of a straight wall. Default: 5. The rest has another cause, such as damping."""

DIFFERENCE = {"twist_factor": 0.2}
"""Relative change of a factor for a derivative. Default: 0.04. Residuals are smooth enough for this, since all calls
use the same noise."""

MODEL_ERROR = 0.03
"""Relative error of the compact model assumed in a fit, in addition to the statistical error of micromagnetics."""

PULSE_ERROR = 0.1
"""Relative error assumed for the current of a pulse, under which walls oscillate."""

FITTED = (1 / 9, 1 / 3, 1.0)
"""Currents on the plain track that are fitted, in units of the largest."""

HELD_OUT = (2 / 9, 2 / 3)
"""Currents that test the fit, in units of the largest."""


class Comparison(Parameters):
    """One quantity in micromagnetics and in the compact model, at several points."""

    quantity: str
    unit: str
    held_out: bool
    """Whether the quantity was kept out of the fit."""
    points: tuple[str, ...]
    micromagnetics: tuple[float, ...]
    uncertainty: tuple[float, ...]
    """Standard error of the micromagnetic value."""
    compact: tuple[float, ...]

    @staticmethod
    def of(
        quantity: str,
        unit: str,
        points: Sequence[str],
        *,
        micromagnetics: Float[np.ndarray, " point"],
        uncertainty: Float[np.ndarray, " point"],
        compact: Float[np.ndarray, " point"],
        held_out: bool,
    ) -> Comparison:
        """Comparison of two arrays, without points for which micromagnetics has no result (NaN)."""
        kept = np.isfinite(micromagnetics)
        return Comparison(
            quantity=quantity,
            unit=unit,
            held_out=held_out,
            points=tuple(p for p, k in zip(points, kept, strict=True) if k),
            micromagnetics=tuple(micromagnetics[kept].tolist()),
            uncertainty=tuple(uncertainty[kept].tolist()),
            compact=tuple(compact[kept].tolist()),
        )

    @property
    def error(self) -> float:
        """Root mean square difference of compact model and micromagnetics, in :attr:`unit`."""
        return _rms(np.subtract(self.compact, self.micromagnetics))

    @property
    def relative_error(self) -> float:
        """Root mean square difference relative to micromagnetics."""
        return _rms(np.divide(self.compact, self.micromagnetics) - 1)

    @property
    def relative_uncertainty(self) -> float:
        """Root mean square of the standard errors relative to micromagnetics."""
        return _rms(np.divide(self.uncertainty, self.micromagnetics))


class Calibration(Parameters):
    """Parameters of the compact model for one track, and its errors."""

    parameters: CompactParameters
    comparisons: tuple[Comparison, ...]
    settings: dict[str, Any]
    """Conditions of the calibration: material, gate, width, thickness, cell, temperature, notches, seed."""

    @property
    def errors(self) -> dict[str, float]:
        """Root mean square errors of the compact model on held-out runs, and their statistical part.

        ``threshold``, ``velocity``, ``displacement``: relative; ``pass_probability``: absolute. ``..._uncertainty``:
        the standard error of the micromagnetic values that it contains.
        """
        held_out = {c.quantity: c for c in self.comparisons if c.held_out}
        found = {}
        for name in ("threshold", "velocity", "displacement"):
            found[name] = held_out[name].relative_error
            found[f"{name}_uncertainty"] = held_out[name].relative_uncertainty
        passes = held_out["pass probability"]
        found["pass_probability"] = passes.error
        found["pass_probability_uncertainty"] = _rms(np.array(passes.uncertainty))
        return found

    def table(self) -> str:
        """All points compared, as a Markdown table."""
        lines = ["| quantity | point | micromagnetics | compact | |", "| --- | --- | --- | --- | --- |"]
        for c in self.comparisons:
            kind = "held out" if c.held_out else "fitted"
            lines += [
                f"| {c.quantity} ({c.unit}) | {point} | {ours:.4g} ± {error:.1g} | {compact:.4g} | {kind} |"
                for point, ours, error, compact in zip(
                    c.points, c.micromagnetics, c.uncertainty, c.compact, strict=True
                )
            ]
        return "\n".join(lines)


def calibrate(
    film: Film,
    gate: Gate | None,
    *,
    voltages: Sequence[float] = (-0.5, 0.0, 0.5),
    notches: Sequence[Notch] | None = None,
    held_out: Notch | None = None,
    pulse: float = 3e-9,
    temperature: float = 300.0,
    replicas: int = 6,
    currents: int = 7,
    seed: int = 0,
    backend: str = "auto",
    threads: int | None = None,
    checkpoint: Path | None = None,
    progress: Progress | bool | None = None,
) -> Calibration:
    """Fit the compact model to micromagnetic runs on tracks like ``film``, and test it on other runs.

    Args:
        film: Film, of which material, thickness, cells and median width are used, but not the shape.
        gate: Gate, which changes Ku. Without it, ``voltages`` must be 0.
        voltages: Gate voltages in V.
        notches: Notches whose depinning is fitted, each alone on a track; their ``position`` is ignored. Default:
            triangular notches with depths of an eighth and a quarter of the width on either side, as long as the track
            is wide.
        held_out: Notch of the test pulses. Default: one with a depth between the others and a quarter longer.
        pulse: Duration in s of the test pulses.
        temperature: Temperature in K.
        replicas: Number of replicas of each micromagnetic run. Pulses at a notch have half as many, and two thirds in
            the test.
        currents: Number of currents for each notch and voltage.
        seed: Seed of the thermal noise.
        backend, threads: As in :func:`barkhausen.micromagnetics.simulate`.
        checkpoint: Directory of finished runs, from which the same call resumes. The caller deletes it.
        progress: Progress display.

    Raises:
        InputError: No current moves a wall of the material, or the gate makes the magnetisation in-plane.
    """
    bench = Bench(
        film.material.at(temperature), Bench.width_of(film), film.grid.dz, film.grid.dx, gate,
        tuple(map(float, voltages)), temperature, replicas, seed, checkpoint,
        {"backend": backend, "threads": threads, "progress": progress},
    )  # fmt: skip
    deep, length = bench.width / 4, bench.width / 2
    if notches is None:
        notches = [Notch(position=0.0, depth=depth, half_length=length) for depth in (0.5 * deep, deep)]
    if held_out is None:
        held_out = Notch(position=0.0, depth=0.75 * deep, half_length=1.25 * length)
    parameters = _at_rest(bench)
    paths = Paths.of(bench, FITTED, (0.0,), parameters, number=1)
    parameters = _fit_motion(parameters, paths)
    ramps = Ramps.of(bench, notches, parameters, number=2)
    runs = Pulses.of(
        bench, notches, pulse, parameters, currents=currents, repeats=max(1, bench.replicas // 2), number=3
    )
    parameters = _fit_notches(parameters, paths, ramps, runs)
    away = sorted({min(bench.voltages), max(bench.voltages)})
    others = Paths.of(bench, HELD_OUT, away, parameters, number=4)
    tests = Pulses.of(
        bench, [held_out], pulse, parameters, currents=currents, repeats=max(1, 2 * bench.replicas // 3), number=5
    )
    return Calibration(
        parameters=parameters,
        comparisons=(
            *_compared_paths(paths, parameters, held_out=False),
            _compared_ramps(ramps, parameters),
            *_compared_pulses(runs, parameters, held_out=False),
            *_compared_paths(others, parameters, held_out=True),
            *_compared_pulses(tests, parameters, held_out=True),
        ),
        settings=bench.describe()
        | {"notches": [n.model_dump() for n in notches], "held_out": held_out.model_dump(), "pulse": pulse},
    )


def _at_rest(bench: Bench) -> CompactParameters:
    """Parameters from walls and domains at rest: ``demag_factor``, ``neel_cost``, ``edge_cost`` and ``order``."""
    material, film = bench.material, bench.track(bench.cell * math.ceil(256e-9 / bench.cell))
    demag = 0.5 * VACUUM_PERMEABILITY * material.saturation_magnetisation**2
    widths, factors, cold = [], [], 1.0
    for voltage in bench.voltages:
        ku = material.anisotropy + bench.anisotropy_change(voltage)
        system = System(Film(film.grid, material.model_copy(update={"anisotropy": ku}), film.fill))
        wall, domain = (minimize(system, m) for m in (domain_wall(system.film), uniform(film, (0.0, 0.0, 1.0))))
        lying = [float(((1 - m[:, 2] ** 2) * system.film.weights).sum()) for m in (wall, domain)]
        widths.append(0.5 * (lying[0] - lying[1]) * film.grid.length)
        factors.append((ku - material.exchange_stiffness / widths[-1] ** 2) / demag)
        cold = float((domain[:, 2] * system.film.weights).sum())
    order = 1.0
    # Constants that are averages at the temperature contain the order.
    if bench.temperature > 0 and material.constants_at == 0:
        run = bench.micromagnetic(
            film, None, duration=0.6e-9, replicas=8, initial=uniform(film, (0.0, 0.0, 1.0)), number=0,
            observe=(MeanMagnetisation(),),
        )  # fmt: skip
        # Spins reach thermal equilibrium within the first 0.2 ns.
        order = float(run["m"].sel(component="z").isel(time=slice(4, None)).mean()) / cold
    # Walls widen with temperature; with one voltage a slope is still needed.
    low, high = 0.9 * min(widths), 1.1 * max(widths)
    costs = [_neel_cost(film, delta) for delta in (low, high)]
    slope = (costs[0] - costs[1]) / (high - low)
    return CompactParameters(
        order=order,
        demag_factor=float(np.mean(factors)),
        neel_cost=costs[0] + slope * low,
        edge_cost=slope * bench.width,
    )


def _neel_cost(film: Film, delta: float) -> float:
    """Stray-field energy of a rigid Néel wall minus that of a Bloch wall, relative to that in an infinite film."""
    system = System(film, terms=(Demag(),))
    neel, bloch = (float(system.energy(domain_wall(film, width=delta, angle=a))) for a in (math.pi, math.pi / 2))
    infinite = VACUUM_PERMEABILITY * film.material.saturation_magnetisation**2 * film.grid.dz * math.log(2) / math.pi
    return (neel - bloch) / (infinite * Bench.width_of(film) * film.grid.dz)


def _fit(
    parameters: CompactParameters,
    names: Sequence[str],
    residuals: Callable[[CompactParameters], Float[np.ndarray, " residual"]],
) -> CompactParameters:
    """Least-squares fit of these factors from their present values."""
    start = np.array([getattr(parameters, name) for name in names])
    trust, difference, largest = (
        np.array([given.get(name, other) for name in names])
        for given, other in ((TRUST, 0.2), (DIFFERENCE, 0.04), (LARGEST, 5.0))
    )

    def changed(factors: np.ndarray) -> CompactParameters:
        return parameters.model_copy(update=dict(zip(names, factors.tolist(), strict=True)))

    def all_residuals(factors: np.ndarray) -> np.ndarray:
        return np.concatenate((residuals(changed(factors)), np.log(factors / start) / trust))

    found = least_squares(
        all_residuals, start, diff_step=difference, x_scale=trust, bounds=(0.02, largest), xtol=3e-3, ftol=3e-3
    )
    return changed(found.x)


def _path_residuals(parameters: CompactParameters, paths: Paths) -> Float[np.ndarray, " residual"]:
    """Residuals in units of their errors; the times of one path, which are correlated, together count as one."""
    instants = slice(2, None, 3)
    ours, error = paths.mean[instants], paths.standard_error[instants]
    covered = np.nanmax(np.abs(ours - paths.start), axis=0)
    allowed = np.sqrt(len(ours) * (error**2 + (MODEL_ERROR * covered) ** 2 + 1e-20))
    return np.asarray(np.nan_to_num((paths.predicted(parameters)[instants] - ours) / allowed).ravel())


def _fit_motion(parameters: CompactParameters, paths: Paths) -> CompactParameters:
    names = ("dmi_factor", "damping_factor", "drive_factor")
    return _fit(parameters, names, lambda trial: _path_residuals(trial, paths))


def _fit_notches(parameters: CompactParameters, paths: Paths, ramps: Ramps, pulses: Pulses) -> CompactParameters:
    """Fit of notches, including the damping again, since a wall oscillating in a notch loses energy to modes outside
    the model."""
    free, thresholds = ramps.free.mean(1), pulses.thresholds
    ours = np.concatenate((free, thresholds[0]))
    error = np.concatenate((standard_error(ramps.free, axis=1), thresholds[1])) / ours
    error = np.hypot(error, np.repeat((MODEL_ERROR, PULSE_ERROR), len(free)))

    def residuals(trial: CompactParameters) -> Float[np.ndarray, " residual"]:
        passed = half_passed(pulses.currents, pulses.predicted(trial))
        currents = np.log(np.concatenate((ramps.predicted(trial), passed)) / ours) / error
        return np.concatenate((currents, _path_residuals(trial, paths)))

    return _fit(parameters, ("pinning_factor", "twist_factor", "damping_factor"), residuals)


def _compared_paths(paths: Paths, parameters: CompactParameters, *, held_out: bool) -> list[Comparison]:
    compact, ours = paths.predicted(parameters), paths.walls
    points = [f"{current:.3g} A/m2, {voltage:g} V" for current, voltage in paths.points]
    pairs = (
        ("velocity", "m/s", paths.velocity(ours), paths.velocity(compact)),
        ("displacement", "m", ours[-1] - ours[0], compact[-1] - compact[0]),
    )
    return [
        Comparison.of(
            name, unit, points, micromagnetics=values.mean(1), uncertainty=standard_error(values, 1), compact=other,
            held_out=held_out,
        )
        for name, unit, values, other in pairs
    ]  # fmt: skip


def _compared_ramps(ramps: Ramps, parameters: CompactParameters) -> Comparison:
    return Comparison.of(
        "depinning current", "A/m2", [f"ramp, {name}" for name in ramps.at.names], held_out=False,
        micromagnetics=ramps.free.mean(1), uncertainty=standard_error(ramps.free, 1),
        compact=ramps.predicted(parameters),
    )  # fmt: skip


def _compared_pulses(pulses: Pulses, parameters: CompactParameters, *, held_out: bool) -> list[Comparison]:
    compact, repeats = pulses.predicted(parameters), pulses.passed.shape[2]
    ours, error = pulses.thresholds
    threshold = Comparison.of(
        "threshold", "A/m2", [f"pulse, {name}" for name in pulses.at.names], held_out=held_out,
        micromagnetics=ours, uncertainty=error, compact=half_passed(pulses.currents, compact),
    )  # fmt: skip
    # Laplace's rule: a share estimated from few replicas is never taken to be exactly 0 or 1.
    likely = (pulses.passed.sum(2) + 1) / (repeats + 2)
    points = [
        f"pulse, {name}, {current:.3g} A/m2"
        for name, row in zip(pulses.at.names, pulses.currents, strict=True)
        for current in row
    ]
    passes = Comparison.of(
        "pass probability", "1", points, held_out=held_out, micromagnetics=pulses.passed.mean(2).ravel(),
        uncertainty=np.sqrt(likely * (1 - likely) / repeats).ravel(), compact=compact.ravel(),
    )  # fmt: skip
    return [threshold, passes]


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(values))))
