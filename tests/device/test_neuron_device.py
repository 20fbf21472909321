"""Neuron files: contents, mistakes, the law from single steps, trains of pulses, and measured curves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.device import device_of_kind, import_firing_curve, read_any_device, write_device
from barkhausen.device.domain_wall.neuron import parameters_from
from barkhausen.device.domain_wall.neuron.simulation import trains_of
from barkhausen.device.neuron import NeuronDevice, step_tables
from barkhausen.device.technology import SHIPPED
from made_neurons import neuron


def test_a_neuron_file_holds_what_the_neuron_is(tmp_path: Path) -> None:
    made = neuron(failed=4)
    write_device(made, tmp_path / "neuron.nc")
    read = read_any_device(tmp_path / "neuron.nc")
    assert isinstance(read, NeuronDevice)
    xr.testing.assert_identical(read.data, made.data)
    assert read.reset_failure == pytest.approx(0.04)
    # Wilson's interval of 4 in 100, by hand.
    assert read.cycles is not None
    assert read.cycles.failure_interval == pytest.approx((0.01566, 0.09837), abs=2e-5)
    text = "\n".join(read.lines())
    assert "the reset failed after 4 of 100: 4.00% (95 % interval 1.57% to 9.84%)" in text
    assert "reset pulse: 0.005 pJ" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.assign(drive=data["drive"] + 1.0), "must begin with 0"),
        (lambda data: data.assign(threshold=2e-7), "must go from 0 to the threshold"),
        (lambda data: data.drop_vars("step_spread"), "'step_spread' is missing"),
        (lambda data: data.assign(step_spread=-data["step_spread"]), "at least 0"),
        (lambda data: data.assign(cycles_failed=101), "must not fall in this order"),
        (lambda data: data.assign_attrs(law="stepps"), "did you mean 'steps'"),
        (lambda data: data.assign(operation=("cause", ["pulse", "write", "reset"])), "operation = 'write'"),
    ],
)
def test_impossible_neurons_are_refused(change: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        NeuronDevice(change(neuron().data))


def test_law_from_single_steps() -> None:
    """A drift that grows along the track is found within its error at every node."""
    random = np.random.default_rng(0)
    nodes, place = np.linspace(0.0, 1.0, 5), random.uniform(0, 1, (4000, 1))
    step = 0.2 + 0.4 * place + 0.1 * random.standard_normal(place.shape)
    step[::7] = np.nan
    found = step_tables(place, step, nodes)
    np.testing.assert_allclose(found.mean[0], 0.2 + 0.4 * nodes, atol=0.015)
    np.testing.assert_allclose(found.spread[0], 0.1, atol=0.02)
    assert abs(found.count.sum() - np.isfinite(step).sum()) <= 5
    # Nodes without steps follow those that have some.
    near = step_tables(np.full((10, 1), 0.1), np.full((10, 1), 3.0), nodes)
    np.testing.assert_allclose(near.mean, 3.0)
    assert near.count.tolist() == [[6, 4, 0, 0, 0]]


def test_what_the_junction_saw() -> None:
    """Cycles of four records: one fires at the second pulse, one is lost, one stays, one leaves the track at once."""
    position = np.array(
        [
            [50, 50, 50, 50],
            [90, 40, 60, 80],
            [120, np.nan, 60, np.nan],
            [np.nan, np.nan, 60, np.nan],
            [np.nan, np.nan, 70.0, np.nan],
        ]
    )
    count = np.isfinite(position).astype(float)
    up = np.where(np.isfinite(position), 0.0, [[1.0, -1.0, 0.0, 1.0]])
    result = xr.Dataset(
        {
            "wall_position": (("time", "replica"), 1e-9 * position),
            "wall_count": (("time", "replica"), count),
            "m": (("time", "replica", "component"), np.stack([0 * up, 0 * up, up], axis=2)),
        },
        coords={"component": ["x", "y", "z"]},
    )
    found = trains_of(result, (1, 1, 4), 3, 100e-9, 150e-9)
    assert found.fired.ravel().tolist() == [2, 0, 0, 2]
    assert found.reset.ravel().tolist() == [True, False, False, True]
    assert found.lost.ravel().tolist() == [False, True, False, False]
    # The step that fires is part of the law, those after it are not.
    np.testing.assert_allclose(1e9 * found.position[:, 0, 0, 0], [50, 90, 120, np.nan])
    # A wall that has left the track is at its end.
    np.testing.assert_allclose(1e9 * found.position[:, 0, 0, 3], [50, 80, 150, np.nan])


def test_parameters_of_a_neuron_are_checked() -> None:
    stop = {"shape": {"end_stops": {"sides": "left"}}}
    made = parameters_from({"kind": "neuron", **stop}, ["neuron.pulses=3"], "file")
    assert made.neuron.pulses == 3
    assert made.neuron.step(3e-15) == pytest.approx(2.985e-15, rel=0.01)
    assert parameters_from(made.model_dump(exclude={"gate", "protocol", "heat", "interfaces"}), [], "x") is not None
    for values, words in (
        ({"neuron": {"start": 3e-7}, **stop}, "must follow each other"),
        ({"neuron": {"values": [4e11, 2e11]}, **stop}, "must rise"),
        ({"gate": {"kind": "vcma"}, **stop}, "gate"),
        ({}, "sides = 'left'"),
    ):
        with pytest.raises(InputError, match=words):
            parameters_from({"kind": "neuron", **values}, [], "file")


def test_a_measured_curve_becomes_a_neuron(tmp_path: Path) -> None:
    table = tmp_path / "curve.csv"
    table.write_text("drive,probability,trials\n2.0,0.933,30\n0.5,0.001,30\n1.9,0.652,30\n", encoding="utf-8")
    made = import_firing_curve(table)
    assert made.drives.tolist() == [0.5, 1.9, 2.0]
    assert made.drive == ("voltage", "V") and made.law == "probability"
    assert "0.001 at 0.5 to 0.933 at 2" in "\n".join(made.lines())
    for text, words in (
        ("drive,p\n1,0.5\n", "no column 'probability'"),
        ("drive,probability\n1,0.5\n2,1.5\n", "not 0 to 1"),
        ("drive,probability\n1,0.5\n1,0.6\n", "rising"),
        ("drive,probability\n1,half\n", "line 2: probability = 'half'"),
        ("drive,probability,trials\n1,0.5,0\n2,0.6,3\n", "trials = 0"),
    ):
        table.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match=words):
            import_firing_curve(table)


def test_the_shipped_neuron_is_what_its_file_of_parameters_describes() -> None:
    """More than a hundred cycles; stronger pulses make larger steps and fire sooner."""
    device = device_of_kind("neuron-track", "neuron")
    parameters = parameters_from(read_toml(SHIPPED / "neuron-track.toml"), [], "neuron-track.toml")
    assert json.loads(device.data.attrs["parameters"]) == json.loads(parameters.model_dump_json())
    cycles = device.cycles
    assert cycles.fired >= 100
    assert cycles.failure_interval[1] < 0.05
    assert (np.diff(device.tables.mean.mean(axis=1)) > 0).all()
    fired = device.data["fired_at"].values
    pulses = [np.median(times[times > 0]) for times in fired[2:]]
    assert pulses == sorted(pulses, reverse=True)
    assert (SHIPPED / "neuron-track.nc").stat().st_size < 200_000


@pytest.mark.slow
def test_a_small_ensemble_integrates_fires_and_is_reset(tmp_path: Path) -> None:
    """Two tracks at 0 K ... 300 K; interrupted work goes on to the same file."""
    from barkhausen.device.domain_wall.neuron import characterise  # noqa: PLC0415

    values = {
        "kind": "neuron",
        "track": {"length": 160e-9, "width": 32e-9},
        "material": {"preset": "cofeb-tungsten", "constants_at": 300},
        "shape": {"end_stops": {"length": 40e-9, "sides": "left"}},
        "neuron": {"values": [2e11, 4e11], "pulses": 5, "start": 56e-9, "threshold": 120e-9},
        "characterisation": {"devices": 1, "cycles": 2, "cell": 4e-9, "integrator": "splitting"},
    }
    parameters = parameters_from(values, [], "test")
    made = characterise(parameters, checkpoint=tmp_path, threads=1)
    again = characterise(parameters, checkpoint=tmp_path, threads=1)
    xr.testing.assert_identical(made.data, again.data)
    assert made.cycles is not None and made.cycles.tried == 4
    # The stronger pulse makes the larger step.
    assert made.tables.mean[2].mean() > made.tables.mean[1].mean()
