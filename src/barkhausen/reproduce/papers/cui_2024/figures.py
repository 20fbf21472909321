"""Learning curves of the spiking networks, ours beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np
import plotly.graph_objects as go

from barkhausen.report.plots import GREY, LAYER_COLOURS, MARKERS, Spec, finished_spec
from barkhausen.results.statistics import mean_interval

PUBLISHED = {
    "LIF": (71.1, 73.6, 74.9, 76.4, 77.4, 78.1, 78.3, 78.9, 77.8, 79.07),
    "IF": (71.2, 72.0, 74.1, 75.5, 77.2, 77.9, 78.2, 78.3, 78.6, 79.1),
    "DW-MTJ": (69.5, 71.8, 72.9, 75.0, 73.7, 75.1, 75.1, 76.1, 74.5, 76.35),
    "DW-MTJ with noise": (71.9, 73.4, 73.4, 74.9, 75.0, 76.0, 76.1, 76.5, 76.6, 77.42),
}
"""Mean test accuracy in % after each epoch, of 5 (LIF), 6 and 6 trainings of the public code; IF from its script."""


def curves_plot(ours: Mapping[str, Sequence[Sequence[float]]], published: Sequence[float] | None) -> Spec:
    """Test accuracy in % against the epoch, a curve for each kind, the published one in grey.

    Args:
        ours: Curves of the trainings of each kind.
        published: The published curve.
    """
    fig = go.Figure()
    if published is not None:
        fig.add_scatter(
            x=list(range(1, len(published) + 1)),
            y=list(published),
            mode="lines+markers",
            line={"color": GREY, "width": 3},
            marker={"color": GREY, "size": 6},
            name="published",
        )
    for number, (name, runs) in enumerate(ours.items()):
        length = min(map(len, runs))
        each = [[run[epoch] for run in runs] for epoch in range(length)]
        fig.add_scatter(
            x=list(range(1, length + 1)),
            y=[round(fmean(values), 3) for values in each],
            error_y={"array": [_reach(values) for values in each], "thickness": 1.2, "width": 3},
            mode="lines+markers",
            line={"color": LAYER_COLOURS[number % len(LAYER_COLOURS)], "width": 2},
            marker={"symbol": MARKERS[number % len(MARKERS)], "size": 7},
            name=name,
        )
    fig.update_xaxes(title_text="epoch", dtick=1)
    fig.update_yaxes(title_text="test accuracy (%)")
    return finished_spec(fig, 400)


def _reach(values: Sequence[float]) -> float:
    """Half of the 95 % interval of the mean; 0 for one training."""
    if len(values) < 2:
        return 0.0
    found = mean_interval(np.array(values, np.float64)[:, None], 0)
    return round((found.high - found.low) / 2, 3)
