"""Draw the picture of the main results: accuracy and programming energy beside the published figures.

    barkhausen reproduce --out runs/reproduce
    python examples/draw_results.py runs/reproduce/summary.json docs/images/results.png

A PNG needs Chromium or Chrome; a name ending in .html does not.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from barkhausen.experiment.work.rows import device_name
from barkhausen.results.published import published
from barkhausen.results.table import held_out, result_table

COLOURS = {"float": "#6b7280", "in-situ": "#0072b2", "ex-situ": "#d55e00"}
CAUSES = {
    "sot_share": ("SOT pulses", "#56b4e9"),
    "gate_share": ("gate", "#009e73"),
    "read_share": ("verify reads", "#e69f00"),
}


def label(mode: str, device: str) -> str:
    """Learning rule and device, on two lines."""
    return f"{device}<br>{mode}"


def draw(summaries: list[dict]) -> go.Figure:
    """Accuracy of every seed and kind on the left, programming energy by cause on the right."""
    rows = result_table(summaries)
    figure = make_subplots(
        rows=1, cols=2, column_widths=[0.58, 0.42], horizontal_spacing=0.1,
        subplot_titles=("Test accuracy on MNIST (%)", "Programming energy per sample and epoch (pJ)"),
    )  # fmt: skip
    for mode, colour in COLOURS.items():
        points = [
            (label(mode, device_name(s)) if s["states"] else "float", 100 * held_out(s))
            for s in summaries
            if s["mode"] == mode
        ]
        figure.add_scatter(
            x=[p[0] for p in points], y=[p[1] for p in points], mode="markers", name=mode, legend="legend",
            marker={"color": colour, "size": 11, "opacity": 0.75}, row=1, col=1,
        )  # fmt: skip
        best = published("accuracy", "mnist", mode, "mlp").value
        figure.add_hline(
            y=100 * best, line={"color": colour, "dash": "dot", "width": 1.5}, row=1, col=1,
            annotation={"text": f"published {mode} {100 * best:.2f}", "font": {"color": colour, "size": 11}},
            annotation_position="top left" if mode != "ex-situ" else "bottom left",
        )  # fmt: skip
    priced = [row for row in rows if row["mode"] != "float"]
    for share, (name, colour) in CAUSES.items():
        figure.add_bar(
            x=[label(row["mode"], row["device"]) for row in priced],
            y=[row["picojoule_per_inference"] * row[share] for row in priced],
            name=name, marker_color=colour, legend="legend2", row=1, col=2,
        )  # fmt: skip
    energy = published("picojoule_per_inference", "mnist", "in-situ", "mlp").value
    figure.add_annotation(
        text=f"published, in-situ: {energy:.0f} pJ (above this axis)",
        x=0.98, y=0.97, xref="x2 domain", yref="y2 domain", showarrow=False, xanchor="right", font={"size": 12},
    )  # fmt: skip
    order = [label(row["mode"], row["device"]) for row in priced]
    figure.update_xaxes(categoryorder="array", categoryarray=["float", *order], row=1, col=1)
    figure.update_yaxes(range=[0, 1.15 * max(row["picojoule_per_inference"] for row in priced)], row=1, col=2)
    figure.update_yaxes(range=[96.4, 99.0], row=1, col=1)
    figure.update_layout(
        template="plotly_white", barmode="stack", width=1400, height=520, font={"family": "sans-serif", "size": 13},
        margin={"l": 50, "r": 20, "t": 50, "b": 150},
        legend={"orientation": "h", "x": 0.0, "y": -0.32}, legend2={"orientation": "h", "x": 0.62, "y": -0.32},
    )  # fmt: skip
    return figure


def save(figure: go.Figure, target: Path) -> None:
    """Write a figure as a page, or as a picture of it."""
    page = figure.to_html(include_plotlyjs=True, config={"displayModeBar": False})
    if target.suffix == ".html":
        target.write_text(page)
        return
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        sys.exit("no Chromium found; name a .html file instead")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "page.html").write_text(f"<style>body{{margin:0}}</style>{page}")
        subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1400,520",
             "--no-first-run", "--disable-background-networking", "--virtual-time-budget=8000",
             f"--user-data-dir={folder}/profile", f"--screenshot={target.resolve()}", f"file://{folder}/page.html"],
            check=True, capture_output=True,
        )  # fmt: skip


def main() -> None:
    """Draw the second argument from the summaries named first."""
    source, target = (Path(argument) for argument in sys.argv[1:3])
    save(draw(json.loads(source.read_text())), target)


if __name__ == "__main__":
    main()
