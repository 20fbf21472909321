"""Fits of devices moved by pulses to measured or simulated curves, with bootstrap intervals over devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr
from jaxtyping import Float

from barkhausen.core.errors import InputError
from barkhausen.device.coordinate import StateCoordinate
from barkhausen.device.pulses.curves import PulseCurves
from barkhausen.device.pulses.device import PulsedDevice
from barkhausen.device.pulses.figures import asymmetry, line_deviation, nonlinearity, states_between
from barkhausen.device.pulses.soft import SoftEstimate, estimate_soft
from barkhausen.device.pulses.steps import StepEstimate, estimate_steps
from barkhausen.device.pulses.textbook import CONDUCTANCE, GRID

Law = Literal["table", "soft-bounds"]
LAWS = ("table", "soft-bounds")
MOST_POINTS = 33
RESAMPLES = 200
MOST_STEPS = 1e9
"""Largest number of steps in the range, where a pulse in its middle does nothing."""
INTERVAL = (2.5, 97.5)
"""Percentiles of the bootstrap distribution: a 95 % interval."""


def fit_curves(
    curves: PulseCurves,
    *,
    technology: str,
    source: Any,
    coordinate: StateCoordinate = CONDUCTANCE,
    law: Law = "table",
    points: int | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    conductances: Callable[[float], float] | None = None,
    assumed: Sequence[str] = (),
    keep: bool = True,
    **how: Any,
) -> PulsedDevice:
    """Make a device from curves.

    Args:
        curves: Values of the state coordinate after each pulse.
        technology, source, coordinate: As in :meth:`.PulsedDevice.from_steps`.
        law: ``table``: a step by state, with the ends of the curves as bounds; ``soft-bounds``: steps that vanish
            linearly at bounds beyond the curves, both fitted.
        points: Number of points of the table. Default: half the number of pulses of a run, at most 33.
        resamples: Number of bootstrap resamples of devices (of cycles, if there is one device).
        seed: Seed of the resamples.
        conductances: Function from the state coordinate to the conductance in S, where it is not the coordinate itself.
        assumed: Assumptions, a line each.
        keep: Whether the curves are kept in the device file.
        how: Further arguments of :meth:`.PulsedDevice.from_steps`.

    Raises:
        InputError: There are too few pulses, or pulses that do not move the device.
    """
    if law not in LAWS:
        raise InputError(f"law = {law!r}: must be {' or '.join(map(repr, LAWS))}")
    runs = min(int((curves.signs == sign).sum()) for sign in (1, -1))
    points = points or int(np.clip(runs // 2, 3, MOST_POINTS))
    soft = estimate_soft(curves) if law == "soft-bounds" else None
    block = curves.block() if soft is None else 1
    whole, noise = curves, curves.read_noise()
    if block > 1:
        curves = curves.averaged(block)
        points = min(points, max(3, int((curves.signs == 1).sum()) // 8))
    found, table = _table_fit(curves, points, True, block) if soft is None else _soft_fit(curves, soft)
    if block > 1:
        table["read_sd"] = 2 * noise / (found["range"][1] - found["range"][0])
        table["lines"].append(f"reads are noisier than steps: fitted to means of {block} values")
    generator = np.random.default_rng(seed)
    draws: list[dict[str, np.ndarray]] = []
    by_cycle = curves.devices == 1
    count = curves.values.shape[1] if by_cycle else curves.devices
    for _ in range(resamples if count > 1 else 0):
        chosen = generator.integers(count, size=count)
        values = curves.values[:, chosen] if by_cycle else curves.values[chosen]
        drawn = PulseCurves(values, curves.signs)
        if soft is None:
            draws.append(_table_fit(drawn, points, False, block)[0])
        else:
            draws.append(_soft_fit(drawn, estimate_soft(drawn) if by_cycle else soft.of_devices(chosen))[0])
    low, high = (float(value) for value in found["range"])
    lines = [*assumed, *table.pop("lines")]
    if not draws:
        lines.append("one device and one cycle: no intervals")
    elif by_cycle:
        lines.append("intervals of one device: by bootstrap over its cycles; they say nothing about other devices")
    if conductances is not None:
        how["conductances"] = conductances(low), conductances(high)
    extra = _intervals(found, draws)
    if keep:
        extra = extra.assign(
            curve=(("device", "cycle", "pulse"), whole.values.astype(np.float32), {"units": coordinate.unit}),
            curve_sign=("pulse", whole.signs.astype(np.int8)),
        )
    return PulsedDevice.from_steps(
        technology=technology,
        source=source,
        coordinate=coordinate,
        state_range=(low, high),
        assumed=lines,
        extras=[extra],
        **table,
        **how,
    )


def _relative(curves: PulseCurves, bounds: Float[np.ndarray, "end device"]) -> PulseCurves:
    low, high = (end[:, None, None] for end in bounds)
    return PulseCurves(2 * (curves.values - low) / (high - low) - 1, curves.signs)


def _table_fit(
    curves: PulseCurves, points: int, spreads: bool, block: int = 1
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    bounds = curves.bounds()
    if not (bounds[1] > bounds[0]).all():
        raise InputError("one of the devices does not change at all")
    found = estimate_steps(_relative(curves, bounds), points, spreads=spreads)
    # Relative to the bounds of each device, steps are smaller in a device with a wide range; in weights they are not.
    low, high = bounds.mean(axis=1)
    width = (bounds[1] - bounds[0]) / (high - low)
    factor = found.factor * width
    scale = factor.mean(axis=1)
    ends = 2 * (bounds - low) / (high - low) - 1
    # Steps of averaged values are those of ``block`` pulses, whose variances add up.
    estimate = StepEstimate(
        found.mean * scale[:, None] / block, found.sd * scale[:, None] / np.sqrt(block),
        found.pattern_sd * scale[:, None] / block, factor / scale[:, None], found.read_sd,
    )  # fmt: skip
    return _common(curves, estimate, ends, (low, high)), {
        "mean": estimate.mean,
        "sd": estimate.sd,
        "scale_sd": _spread_of(estimate.factor),
        "scale_correlation": _correlation(estimate.factor),
        "bound_sd": tuple(ends.std(axis=1, ddof=1)) if curves.devices > 1 else (0.0, 0.0),
        "read_sd": estimate.read_sd,
        "lines": _lines(curves, estimate) if spreads else [],
    }


def _soft_fit(curves: PulseCurves, soft: SoftEstimate) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    noise = np.sqrt(soft.variance.mean(axis=1))
    low, high = soft.bounds.mean(axis=1)
    ends = 2 * (soft.bounds - low) / (high - low) - 1
    step = soft.step.mean(axis=1) * 2 / (high - low)
    factor = soft.step / soft.step.mean(axis=1, keepdims=True)
    grid = np.linspace(-1, 1, GRID)
    sizes = np.stack([step[0] * (1 - grid), step[1] * (1 + grid)])
    signed = sizes * np.array([[1.0], [-1.0]])
    sd = sizes * noise[:, None]
    law = {"name": "affine", "step": step.tolist(), "slope": [1.0, 1.0], "cycle_sd": noise.tolist()}
    estimate = StepEstimate(signed, sd, np.zeros_like(sd), factor, 0.0)
    bound_sd = (
        np.sqrt(np.maximum(ends.var(axis=1, ddof=1) - soft.bound_variance.mean(axis=1) * 4 / (high - low) ** 2, 0.0))
        if curves.devices > 1
        else np.zeros(2)
    )
    spread = _spread_of(factor, soft.step_variance.mean(axis=1) / soft.step.mean(axis=1) ** 2)
    common = _common(curves, estimate, ends, (low, high)) | {
        "soft_step": step, "soft_cycle_sd": noise, "scale_sd": np.array(spread), "bound_sd": bound_sd
    }  # fmt: skip
    return common, {
        "mean": signed,
        "sd": sd,
        "scale_sd": spread,
        "scale_correlation": _correlation(factor),
        "bound_sd": tuple(bound_sd),
        "law": law,
        "lines": ["soft bounds fitted to the curves: steps vanish linearly at bounds that lie beyond them"],
    }


def _common(
    curves: PulseCurves, estimate: StepEstimate, ends: Float[np.ndarray, "end device"], span: tuple[float, float]
) -> dict[str, np.ndarray]:
    """Quantities that have intervals."""
    grid = np.linspace(-1, 1, estimate.mean.shape[1])
    shapes = [curves.mean_curve(sign) for sign in (1, -1)]
    middle = [float(np.interp(0.0, grid, row)) for row in estimate.mean]
    return {
        "range": np.array(span),
        "step_mean": estimate.mean,
        "step_sd": estimate.sd,
        "pattern_sd": estimate.pattern_sd,
        "scale_sd": np.array(_spread_of(estimate.factor)),
        "scale_correlation": np.array(_correlation(estimate.factor)),
        "bound_sd": ends.std(axis=1, ddof=1) if curves.devices > 1 else np.zeros(2),
        "nonlinearity": np.array([nonlinearity(shape) for shape in shapes]),
        "line_deviation": np.array([line_deviation(shape) for shape in shapes]),
        "asymmetry": np.array(asymmetry(grid, estimate.mean)),
        "step_count": np.array(min(states_between(middle[0], middle[1]), MOST_STEPS)),
    }


DIMENSIONS = {
    "range": ("end",),
    "step_mean": ("sign", "grid"),
    "step_sd": ("sign", "grid"),
    "pattern_sd": ("sign", "grid"),
    "scale_sd": ("sign",),
    "scale_correlation": (),
    "bound_sd": ("end",),
    "nonlinearity": ("sign",),
    "line_deviation": ("sign",),
    "asymmetry": (),
    "step_count": (),
    "soft_step": ("sign",),
    "soft_cycle_sd": ("sign",),
}
"""Dimensions of the quantities that have intervals."""

OF_STEPS = ("step_mean", "step_sd", "scale_sd", "scale_correlation", "bound_sd", "range")
"""Quantities whose values the device file holds already."""
WITHOUT = ("pattern_sd", "step_sd")
"""Quantities that resamples do not estimate again."""


def _intervals(found: dict[str, np.ndarray], draws: list[dict[str, np.ndarray]]) -> xr.Dataset:
    contents: dict[str, Any] = {}
    for name, value in found.items():
        places = DIMENSIONS[name]
        if name not in OF_STEPS:
            contents[name] = (places, value)
        if draws and name not in WITHOUT:
            ends = np.nanpercentile([draw[name] for draw in draws], INTERVAL, axis=0)
            contents["state_range_interval" if name == "range" else f"{name}_interval"] = (
                (*places, "bound"), np.moveaxis(ends, 0, -1), {"long_name": "95 % interval, bootstrap over devices"}
            )  # fmt: skip
    return xr.Dataset(contents)


def _spread_of(
    factor: Float[np.ndarray, "sign device"], variance: Float[np.ndarray, " sign"] | float = 0.0
) -> tuple[float, float]:
    """Relative standard deviations between devices, less the variance of their estimates."""
    if factor.shape[1] < 2:
        return 0.0, 0.0
    up, down = np.sqrt(np.maximum(factor.var(axis=1, ddof=1) - variance, 0.0)).tolist()
    return up, down


def _correlation(factor: Float[np.ndarray, "sign device"]) -> float:
    logs = np.log(np.maximum(factor, 1e-3))
    if factor.shape[1] < 3 or (logs.std(axis=1) < 1e-9).any():
        return 0.0
    return float(np.clip(np.corrcoef(logs)[0, 1], -1, 1))


def _lines(curves: PulseCurves, estimate: StepEstimate) -> list[str]:
    lines = ["bounds: the ends of the curves of each device"]
    if curves.values.shape[1] < 2:
        lines.append("one cycle a device: differences between single devices count as noise of cycles")
    largest = float(estimate.pattern_sd.max())
    if largest > 0.1 * float(np.abs(estimate.mean).max()):
        lines.append(
            f"single devices differ at single states in the same way in every cycle (pattern_sd up to {largest:.3g} in "
            "weight); devices that are drawn differ so too, independently at every point of the table"
        )
    return lines
