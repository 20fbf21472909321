"""Figures and descriptions of finished runs, energies and tables of sweeps."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from barkhausen.core.display.plot_style import WIDTH
from barkhausen.core.errors import InputError
from barkhausen.results import FinishedRun, load_run
from barkhausen.results.display import accessor
from barkhausen.synapse import EnergyBreakdown
from made_up_runs import write_run
from made_up_sweep import MARGINS, SEEDS, accuracy_of, rows_of, table_of


@pytest.fixture(autouse=True)
def _closed() -> None:
    mpl.use("Agg")
    plt.close("all")


@pytest.fixture
def run(tmp_path: Path) -> FinishedRun:
    return load_run(write_run(tmp_path, accuracy=0.961, name="mine"))


def test_a_run_shows_what_it_learned_epoch_by_epoch(run: FinishedRun) -> None:
    loss, accuracy = run.plot()
    assert loss.get_ylabel() == "training loss"
    assert accuracy.get_ylabel() == "test accuracy (%)"
    assert accuracy.get_xlabel() == "epoch"
    assert list(loss.lines[0].get_ydata()) == [epoch.train_loss for epoch in run.epochs]
    expected = [100 * epoch.held_out for epoch in run.epochs if epoch.held_out is not None]
    assert list(accuracy.lines[0].get_ydata()) == expected
    assert loss.figure.get_size_inches()[0] == WIDTH


def test_a_run_shows_its_energy_by_cause(run: FinishedRun) -> None:
    (axes,) = run.plot(kind="energy")
    widths = [bar.get_width() for bar in axes.patches]
    total = 10e-15 * run.summary["programming"]["attempts"]
    assert axes.get_xlabel() == "energy (pJ)"
    assert widths == pytest.approx([1e12 * share * total for share in (0.6, 0.1, 0.3)])
    assert [label.get_text() for label in axes.get_yticklabels()] == ["SOT pulses", "gate", "verify read"]


def test_a_float_run_has_no_energy_and_an_unknown_figure_is_refused(tmp_path: Path, run: FinishedRun) -> None:
    with pytest.raises(InputError, match="programs no devices"):
        load_run(write_run(tmp_path, "float", name="float")).plot(kind="energy")
    with pytest.raises(InputError, match=r"kind = 'learned': .*did you mean 'learning'"):
        run.plot(kind="learned")


def test_a_run_describes_itself(run: FinishedRun) -> None:
    assert repr(run).splitlines()[0] == "<FinishedRun: mine>"
    assert "test accuracy       96.10 %" in repr(run)
    html = run._repr_html_()
    assert "Assumptions" in html
    assert "Programming energy by cause" in html


def test_the_name_of_a_run_is_escaped(tmp_path: Path) -> None:
    html = load_run(write_run(tmp_path, name="<script>alert(1)<script>"))._repr_html_()
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_an_energy_breakdown_shows_its_causes_and_their_shares() -> None:
    breakdown = EnergyBreakdown({"sot": 3e-12, "<b>": 1e-12}, {"sot": "SOT pulses"})
    assert repr(breakdown).splitlines() == [
        "<EnergyBreakdown>",
        "  total       4.00 pJ",
        "  SOT pulses  3.00 pJ (75.0 %)",
        "  <b>         1.00 pJ (25.0 %)",
    ]
    assert "&lt;b&gt;" in breakdown._repr_html_()
    axes = breakdown.plot()
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([3.0, 1.0])
    assert axes.get_xlabel() == "energy (pJ)"
    assert repr(EnergyBreakdown()).splitlines()[1] == "  total  0 J"


def test_a_table_shows_means_with_intervals_against_what_was_swept() -> None:
    table = table_of(rows_of())
    axes = table.barkhausen.plot(by="mode", x="device.margin")
    assert axes.get_ylabel() == "accuracy (%)"
    assert axes.get_xlabel() == "margin"
    curves = {container.get_label(): container for container in axes.containers}
    assert list(curves) == ["mode in-situ", "mode ex-situ", "mode float"]
    line = curves["mode in-situ"].lines[0]
    assert list(line.get_xdata()) == list(MARGINS)
    means = [100 * np.mean([accuracy_of("in-situ", margin, seed) for seed in SEEDS]) for margin in MARGINS]
    assert list(line.get_ydata()) == pytest.approx(means)
    (bars,) = curves["mode in-situ"].lines[2]
    for segment, mean in zip(bars.get_segments(), means, strict=True):
        assert segment[0, 1] < mean < segment[1, 1]


def test_tables_of_pandas_have_the_method() -> None:
    assert isinstance(table_of(rows_of()).barkhausen, accessor.SweepTable)


def test_keys_that_are_no_numbers_have_a_place_each() -> None:
    axes = table_of(rows_of(margins=(0.4,))).barkhausen.plot(x="mode")
    assert [label.get_text() for label in axes.get_xticklabels()] == ["in-situ", "ex-situ", "float"]


def test_the_axis_and_the_curves_are_found_without_being_named() -> None:
    axes = table_of(rows_of()).barkhausen.plot()
    assert axes.get_xlabel() == "margin"
    assert len(axes.containers) > 1


def test_columns_that_do_not_exist_and_tables_of_one_kind_are_refused() -> None:
    table = table_of(rows_of())
    with pytest.raises(InputError, match="no column 'acuracy'"):
        table.barkhausen.plot("acuracy")
    with pytest.raises(InputError, match="nothing besides the seed was swept"):
        table_of(rows_of(modes=("in-situ",), margins=(0.4,))).barkhausen.plot()
