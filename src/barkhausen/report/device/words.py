"""Formats of the numbers on the page about a device."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from jaxtyping import Float

from barkhausen.device.coordinate import Quantity
from barkhausen.device.file_statistics import Estimate
from barkhausen.report.render import sig
from barkhausen.results.table import NO_VALUE

NO_OVERLAP = 1e-6
"""Overlap below which a value is rounding noise."""

YEAR = 365.25 * 24 * 3600.0

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
"""Digits of an exponent."""

Values = Float[np.ndarray, "..."]


def words_of(quantity: Quantity) -> dict[str, Any]:
    """The formats under the names by which the template calls them."""
    return {
        "q": quantity,
        "nm": nanometre,
        "volt": volt,
        "fj": femtojoule,
        "span": span,
        "lasting": lasting,
        "overlap_text": overlap_text,
        "log2": math.log2,
        "isfinite": math.isfinite,
        "nanmin": _least,
        "nanmax": _greatest,
        "nanmean": _mean,
    }


def nanometre(value: float, decimals: int = 1) -> str:
    """A length in nm, without the unit."""
    return f"{1e9 * value:.{decimals}f}" if math.isfinite(value) else NO_VALUE


def volt(value: float) -> str:
    """A voltage, or another drive, with its sign."""
    return f"{value:+.4g}".replace("-", "−") if value else "0"


def femtojoule(value: float) -> str:
    """An energy in fJ, without the unit."""
    return sig(1e15 * value, 3)


def span(estimate: Estimate, scale: float, decimals: int) -> str:
    """Confidence interval of an estimate; empty if unknown."""
    if not estimate.known:
        return ""
    return f"{scale * estimate.low:.{decimals}f} to {scale * estimate.high:.{decimals}f}"


def overlap_text(value: float) -> str:
    """An overlap as text; negligible values are shown as a bound."""
    if not math.isfinite(value):
        return NO_VALUE
    if value < NO_OVERLAP:
        return "0"
    return f"{value:.3f}" if value >= 0.0005 else "< 0.001"


def lasting(seconds: float) -> str:
    """A time in a suitable unit, from picoseconds to the longest."""
    if not math.isfinite(seconds):
        return "∞" if seconds > 0 else NO_VALUE
    if seconds >= 1e4 * YEAR:
        digits, power = f"{seconds / YEAR:.1e}".split("e")
        return f"{digits} × 10{str(int(power)).translate(RAISED)} years"
    for name, unit in (("years", YEAR), ("days", 86400.0), ("h", 3600.0), ("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= unit:
            return f"{sig(seconds / unit, 3)} {name}"
    return f"{sig(1e9 * seconds, 3)} ns"


def _least(values: Values) -> float:
    return min(_seen(values), default=math.nan)


def _greatest(values: Values) -> float:
    return max(_seen(values), default=math.nan)


def _mean(values: Values) -> float:
    seen = _seen(values)
    return sum(seen) / len(seen) if seen else math.nan


def _seen(values: Values) -> list[float]:
    return [float(value) for value in values[np.isfinite(values)]]
