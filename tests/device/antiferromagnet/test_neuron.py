"""Antiferromagnetic skyrmion neurons: trains that resume, cycles, law, energies, refusals, the device file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import read_any_device, write_device
from barkhausen.device.antiferromagnet import characterise, parameters_from
from barkhausen.device.antiferromagnet.energy import energies, operation
from barkhausen.device.antiferromagnet.law import cycles_of, tables_of, threshold_place
from barkhausen.device.antiferromagnet.nanotrack import junction_of, nanotrack
from barkhausen.device.antiferromagnet.parameters import (
    AntiferromagnetParameters,
    Detector,
    NeuronEnsemble,
    PulseTrain,
    Reset,
    Track,
)
from barkhausen.device.antiferromagnet.trains import INTEGRATES, LOST, RESETS, Train, run

TINY = AntiferromagnetParameters(
    track=Track(length=96e-9, width=48e-9),
    detector=Detector(position=78e-9, length=32e-9),
    train=PulseTrain(inputs=(1.0,), width=8e-12, pause=8e-12, periods=2),
    reset=Reset(current_density=3e11, periods=2),
    characterisation=NeuronEnsemble(replicas=2, cell=3e-9, every=8e-12, settle=8e-12, still=1),
)


class StoppedError(Exception):
    """Stands for an interruption."""


def test_a_train_resumes_with_the_same_bytes(tmp_path: Path) -> None:
    train = Train((1.0, 0.0), (32e-9, 60e-9), 2, 300.0, 3)
    whole = run(TINY, train)

    def stop(periods: int) -> None:
        raise StoppedError

    with pytest.raises(StoppedError):
        run(TINY, train, checkpoint=tmp_path, done=stop)
    again = run(TINY, train, checkpoint=tmp_path)
    xr.testing.assert_identical(whole, again)
    assert whole["x"].sizes == {"time": 5, "replica": 2}
    # Finished: nothing is computed again.
    assert run(TINY, train, checkpoint=tmp_path).identical(whole)


def test_the_neuron_is_written_and_read(tmp_path: Path) -> None:
    device = characterise(TINY)
    write_device(device, tmp_path / "neuron.nc")
    found = read_any_device(tmp_path / "neuron.nc")
    for name in device.data.variables:
        np.testing.assert_array_equal(found.data[name].values, device.data[name].values)
    assert found.threshold == pytest.approx(threshold_place(TINY) - TINY.track.rest)
    assert found.drives.tolist() == [0.0, TINY.train.current_density]
    assert {"still_x", "still_thiele", "thermal_x"} <= set(found.data)
    assert set(found.energies) == {"pulse", "read", "reset"}


def events(
    mode: list[int], fired: list[int], came_back: list[int], after: list[float], value: float = 1.0
) -> xr.Dataset:
    """A train of one replica."""

    def column(values: list[float] | list[int]) -> tuple[tuple[str, str], np.ndarray]:
        return ("period", "replica"), np.array(values)[:, None]

    before = [TINY.track.rest, *after[:-1]]
    columns = {"mode": mode, "fired": fired, "came_back": came_back, "after": after, "before": before}
    return xr.Dataset(
        {name: column(values) for name, values in columns.items()}, {"input": ("replica", np.array([value]))}
    )


def test_cycles_are_counted() -> None:
    i, r, lost = INTEGRATES, RESETS, LOST
    nan = float("nan")
    fine = events([i, i, r, r, i], [0, 1, 0, 0, 0], [-1, -1, -1, 1, -1], [4e-8, 7e-8, 5e-8, 3e-8, 4e-8])
    failed = events([i, r, r, i, r], [1, 0, 0, 1, 0], [-1, -1, 0, -1, -1], [7e-8, 7e-8, 7e-8, 8e-8, 6e-8])
    gone = events([i, i, lost, lost, lost], [0, 0, 0, 0, 0], [-1] * 5, [4e-8, nan, nan, nan, nan])
    while_reset = events([i, r, lost, lost, lost], [1, 0, 0, 0, 0], [-1] * 5, [7e-8, nan, nan, nan, nan])
    leak = events([i] * 5, [0] * 5, [-1] * 5, [4e-8] * 5, value=0.0)
    found = cycles_of(TINY, [fine, failed, gone, while_reset, leak])
    # fine: one that fired after two pulses and one unfinished; failed: one that failed, and one whose reset has no end.
    assert (found.cycles.tried, found.cycles.fired, found.cycles.failed, found.cycles.lost) == (5, 3, 2, 1)
    assert sorted(found.pulses(1).tolist()) == [1, 1, 2]


def test_steps_after_firing_are_leak_only_without_a_reset_current() -> None:
    i, r = INTEGRATES, RESETS
    train = events([i, i, r, r] * 4, [0, 1, 0, 0] * 4, [-1] * 16, [4e-8, 6e-8, 5e-8, 4e-8] * 4)
    driven = tables_of(TINY, [train])
    leaking = tables_of(TINY.model_copy(update={"reset": Reset(current_density=0.0, periods=2)}), [train])
    assert (driven.mean[0] == 0).all() and driven.count[0].sum() == 0
    assert leaking.mean[0].max() == pytest.approx(-1e-8) and leaking.mean[0].min() == pytest.approx(-1e-8)
    assert driven.count[1].sum() == leaking.count[0].sum() == 8


def test_energy_is_resistivity_times_current_squared_times_volume_times_time() -> None:
    volume = 2 * 3e-9 * 96e-9 * 48e-9
    assert operation(TINY, 1.0, 1.0).integrating == pytest.approx(4e-7 * 3.5e11**2 * volume * 8e-12)
    one = operation(TINY, 1.0, 3.0)
    reset = 4e-7 * 3e11**2 * volume * 2 * 16e-12
    assert one.resetting == pytest.approx(reset)
    assert one.total == pytest.approx(3 * operation(TINY, 1.0, 1.0).integrating + reset + 3 * one.read)
    assert energies(TINY)["reset"].joule == pytest.approx(reset)


def test_a_skyrmion_raises_the_conductance_of_its_window() -> None:
    """Between 0 and the TMR, and less in a longer window."""
    wide, narrow = (
        junction_of(TINY.model_copy(update={"detector": Detector(position=78e-9, length=length)}), nanotrack(TINY))
        for length in (36e-9, 30e-9)
    )
    assert 0 < wide.relative_change < narrow.relative_change < TINY.junction.tunnel_magnetoresistance
    assert 0 < wide.noise < 0.2 * wide.step


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"train": {"width": 0.17e-9}}, "train.width must be a whole number of characterisation.every"),
        ({"detector": {"position": 150e-9}}, "its window ends beyond the track"),
        ({"track": {"rest": 120e-9}}, "track.rest must lie before the window"),
        ({"magnet": {"kind": "sublattices"}}, "conductor.strips must be 1"),
        ({"material": {"constants_at": 300}}, "constants_at must be 0"),
        ({"track": {"length": 160}}, "160e-9"),
        ({"train": {"inputs": [0.0]}}, "must be positive numbers"),
        ({"characterisation": {"replicas": 2}}, "at least one for each input"),
    ],
)
def test_parameters_that_cannot_be_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parameters_from({"kind": "neuron", "technology": "antiferromagnetic-skyrmion", **values}, (), "neuron.toml")


def test_a_dmi_that_is_too_strong_is_refused() -> None:
    wild = parameters_from({"material": {"dmi": 5e-3}}, (), "neuron.toml")
    with pytest.raises(InputError, match="a skyrmion stands free for"):
        run(wild, Train((1.0,), (30e-9,), 1, 0.0, 0))
