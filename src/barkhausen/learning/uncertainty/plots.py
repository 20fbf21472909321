"""Reliability, accuracy against rejection, and entropies, drawn with matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILLION, GREY = "#0072b2", "#d55e00", "#76777a"


def plot_uncertainty(summary: Mapping[str, Any], axes: Sequence[Axes] | None = None) -> list[Axes]:
    """Draw the curves of a summary of :meth:`.Uncertainty.summary`.

    Args:
        summary: The summary.
        axes: Three axes to draw on. Default: those of a new figure.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415  # slow to import

    if axes is None:
        _, made = plt.subplots(1, 3, figsize=(12, 3.6), layout="constrained")
        axes = list(made)
    reliability, rejection, entropies = axes
    rows = summary["reliability"]
    x, y = (np.array([row[key] for row in rows]) for key in ("confidence", "accuracy"))
    ends = np.array([[row["accuracy_low"], row["accuracy_high"]] for row in rows]).T
    reliability.plot([0, 1], [0, 1], color=GREY, linestyle="--", label="calibrated")
    reliability.errorbar(
        x, y, yerr=np.maximum([y - ends[0], ends[1] - y], 0), fmt="o", color=BLUE, capsize=2, label="bins"
    )
    low = min(0.95 / summary["classes"], float(x.min()) - 0.03)
    reliability.set(xlabel="confidence", ylabel="accuracy", xlim=(low, 1.02), ylim=(-0.02, 1.04))
    reliability.legend(loc="upper left", frameon=False)
    kept, curve = np.array(summary["rejection"]["kept"]), np.array(summary["rejection"]["accuracy"], float)
    rejection.fill_between(100 * (1 - kept), 100 * curve[:, 1], 100 * curve[:, 2], color=BLUE, alpha=0.2, linewidth=0)
    rejection.plot(100 * (1 - kept), 100 * curve[:, 0], color=BLUE)
    rejection.set(xlabel="most uncertain samples rejected (%)", ylabel="accuracy of the others (%)")
    edges = np.array(summary["entropies"]["edges"])
    for name, colour in (("correct", BLUE), ("wrong", VERMILLION)):
        counts = np.array(summary["entropies"][name], float)
        if counts.sum():
            entropies.stairs(
                100 * counts / counts.sum(),
                edges,
                color=colour,
                fill=True,
                alpha=0.5,
                label=f"{name} ({counts.sum():.0f})",
            )
    entropies.set(xlabel="predictive entropy (nats)", ylabel="samples (%)")
    entropies.legend(frameon=False)
    return [reliability, rejection, entropies]
