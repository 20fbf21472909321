"""Style of figures for journals: one column wide, small type, vector fonts, colours for colour-blind readers.

A figure is drawn inside :func:`one_column`; matplotlib's settings are as before afterwards. matplotlib is imported when
a figure is drawn.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH = 3.4
"""Width of a journal column in inches."""

HEIGHT = 2.3
"""Default height of a panel in inches."""

POINTS = 8.0
"""Size of type in points."""

BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK = (
    "#0072b2", "#d55e00", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#000000",
)  # fmt: skip
COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
"""Colours of Okabe and Ito, told apart by readers with any kind of colour vision."""

GREY = "#808080"

FONTS: Any = {
    "pdf.fonttype": 42,  # TrueType, which journals ask for, instead of Type 3
    "ps.fonttype": 42,
    "svg.fonttype": "none",  # text stays text
}

STYLE: Any = {
    **FONTS,
    "font.size": POINTS,
    "axes.titlesize": POINTS,
    "axes.labelsize": POINTS,
    "xtick.labelsize": POINTS - 1,
    "ytick.labelsize": POINTS - 1,
    "legend.fontsize": POINTS - 1,
    "legend.frameon": False,
    "legend.handlelength": 1.4,
    "legend.borderaxespad": 0.3,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.0,
    "lines.markersize": 3.5,
    "savefig.dpi": 300,
    "figure.dpi": 150,
    "figure.constrained_layout.use": True,
}


@contextlib.contextmanager
def one_column() -> Iterator[None]:
    """Context in which figures are drawn for one column of a journal."""
    import matplotlib as mpl  # noqa: PLC0415 (half a second)
    from cycler import cycler  # noqa: PLC0415

    style = {**STYLE, "axes.prop_cycle": cycler(color=COLOURS)}
    # Not rc_context: it would also take back what a backend sets when the first figure loads it, and a notebook would
    # show that figure alone.
    before: Any = {name: mpl.rcParams[name] for name in style}
    mpl.rcParams.update(style)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


def new_axes(axes: Axes | None = None, *, height: float = HEIGHT) -> Axes:
    """The axes given, or those of a new figure one column wide.

    Args:
        axes: Axes to draw on. Default: new ones.
        height: Height of a new figure in inches.
    """
    return axes if axes is not None else new_panels(1, height=height)[0]


def new_panels(rows: int, *, height: float = HEIGHT, share_x: bool = False) -> list[Axes]:
    """Axes of a new figure one column wide, below each other.

    Args:
        rows: Number of panels.
        height: Height of the figure in inches.
        share_x: Whether all panels have the same horizontal axis.
    """
    import matplotlib.pyplot as plt  # noqa: PLC0415

    with one_column():
        figure = plt.figure(FigureClass=_figure_class(), figsize=(WIDTH, height))
        axes = figure.subplots(rows, 1, sharex=share_x, squeeze=False)
        return [panel[0] for panel in axes]


@functools.cache
def _figure_class() -> type[Figure]:
    from matplotlib import rc_context  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    class ColumnFigure(Figure):
        """Figure that is saved with vector fonts, whatever the settings are by then."""

        def savefig(self, fname: Any, **how: Any) -> None:
            with rc_context({**FONTS, "savefig.dpi": STYLE["savefig.dpi"]}):
                super().savefig(fname, **how)

    return ColumnFigure


def ordered_colours(number: int) -> list[str]:
    """Colours of things in an order, such as states: dark to light, told apart in print without colour as well."""
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.colors import to_hex  # noqa: PLC0415

    colours = mpl.colormaps["viridis"]
    return [to_hex(colours(0.85 * place / max(number - 1, 1))) for place in range(number)]


def legend_above(axes: Axes, columns: int, labels: Sequence[str] | None = None) -> None:
    """Legend above the axes, where it hides nothing.

    Args:
        axes: Axes with labelled artists.
        columns: Number of columns.
        labels: Labels to show. Default: all.
    """
    handles, names = axes.get_legend_handles_labels()
    chosen = [(handle, name) for handle, name in zip(handles, names, strict=True) if labels is None or name in labels]
    if chosen:
        axes.legend(*zip(*chosen, strict=True), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns)
