"""Intervals of shares of events."""

from __future__ import annotations

from scipy.stats import binomtest


def wilson(good: int, events: int) -> tuple[float, float]:
    """95 % Wilson interval of a share; 0 to 1 without events.

    Args:
        good: Events that count.
        events: All events.
    """
    if events == 0:
        return 0.0, 1.0
    found = binomtest(good, events).proportion_ci(method="wilson")
    return float(found.low), float(found.high)
