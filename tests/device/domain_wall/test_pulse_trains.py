"""Trains of pulses and edge patches: maps of Ku, bookkeeping in time, resume to the last bit, and a device file."""

import numpy as np
import pytest
import torch
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.device.domain_wall.patches import EdgePatches
from barkhausen.device.domain_wall.track import Racetrack
from barkhausen.device.domain_wall.trains import simulation
from barkhausen.device.domain_wall.trains.characterise import drift_in_delays, kept_positions, pulsed_track_device
from barkhausen.device.domain_wall.trains.parameters import PulsedTrackParameters
from barkhausen.device.domain_wall.trains.simulation import simulate_train
from barkhausen.micromagnetics import Grid

EXACT = {"position_spread": 0.0, "size_spread": 0.0, "ratio_spread": 0.0}


def test_patches_raise_ku_by_the_area_they_cover():
    track = Racetrack(length=200e-9, width=40e-9)
    patches = EdgePatches(period=30e-9, length=10e-9, depth=6e-9, ratio=1.5, margin=40e-9, **EXACT)
    grid = Grid.of_track(200e-9, 40e-9, 1e-9, 4e-9)
    factors = patches.factors(grid, track, devices=2, seed=0)
    assert torch.equal(factors[0], factors[1])
    # Four pairs of 10 x 6 nm at each edge.
    assert float((factors[0] - 1).sum()) * 16e-18 == pytest.approx(0.5 * 8 * 60e-18)
    np.testing.assert_allclose(factors[0], factors[0].flip(1))
    np.testing.assert_allclose(factors[0, :, 2:-2], 1.0)
    assert float(factors.max()) == pytest.approx(1.5)


def test_patches_of_a_device_do_not_depend_on_the_number_of_devices():
    track, patches = Racetrack(length=200e-9, width=40e-9), EdgePatches()
    grid = Grid.of_track(200e-9, 40e-9, 1e-9, 4e-9)
    three, one = (patches.factors(grid, track, devices=count, seed=5) for count in (3, 1))
    assert torch.equal(three[:1], one)
    assert not torch.equal(three[0], three[1])
    assert not torch.equal(patches.factors(grid, track, devices=1, seed=6), one)


def test_a_film_has_its_patches_and_old_parameters_keep_their_text():
    plain = DeviceParameters()
    assert "patches" not in plain.model_dump()["shape"]
    plain = DeviceParameters(material={"constants_at": 0})
    patched = DeviceParameters(material={"constants_at": 0}, shape={"patches": {"ratio": 1.3, **EXACT}})
    assert patched.model_dump()["shape"]["patches"]["ratio"] == 1.3
    ratio = patched.film(devices=1).anisotropy / plain.film(devices=1).anisotropy
    assert float(ratio.max()) == pytest.approx(1.3, rel=1e-3)
    assert any(line.startswith("patches: 8 x 8 nm") for line in patched.assumed_of_simulation())


def track_of(**train):
    return PulsedTrackParameters(
        track={"length": 128e-9, "width": 16e-9},
        shape={"roughness": {"rms": 0.0}, "end_stops": {"length": 20e-9}},
        train={"current_density": 2e11, "width": 0.04e-9, "delay": 0.04e-9, "settle": 0.02e-9, "records": 2, **train},
        characterisation={"devices": 2, "cycles": 2, "integrator": "splitting"},
    )


def test_a_train_is_resumed_to_the_last_bit(tmp_path, monkeypatch):
    parameters = track_of(up=3, down=2)
    whole = simulate_train(parameters, threads=1)
    assert whole["wall_position"].shape == (6, 3, 2, 2)
    assert whole["sign"].values.tolist() == [0, 1, 1, 1, -1, -1]
    ends = 0.02 + 0.08 * np.arange(6)
    np.testing.assert_allclose(1e9 * whole["time"].values[:, -1], ends, atol=1e-9)
    np.testing.assert_allclose(1e9 * whole["time"].values[1:, 0], ends[:-1] + 0.04, atol=1e-9)

    save, calls = simulation._save, []

    def stopping(*args):
        save(*args)
        calls.append(args)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(simulation, "_save", stopping)
    with pytest.raises(KeyboardInterrupt):
        simulate_train(parameters, threads=1, checkpoint=tmp_path)
    again = simulate_train(parameters, threads=1, checkpoint=tmp_path)
    assert again["wall_position"].identical(whole["wall_position"])
    with pytest.raises(InputError, match="another"):
        simulate_train(track_of(up=3, down=2, delay=0.08e-9), threads=1, checkpoint=tmp_path)


def test_cold_devices_do_not_fluctuate_and_pulses_move_them():
    parameters = track_of(up=4, down=2, width=0.1e-9)
    cold = simulate_train(parameters, thermal=False, threads=1)["wall_position"]
    assert cold.shape == (7, 3, 2, 1)
    # Smooth edges: equal devices stay equal, and a pulse up moves the wall to the right.
    np.testing.assert_allclose(cold[:, :, 0], cold[:, :, 1], atol=1e-12)
    assert float(cold[4, -1, 0, 0]) > float(cold[0, -1, 0, 0]) + 1e-9


def synthetic(step=10e-9, drift=3e-9):
    """Walls that each pulse moves by a step, and each delay by a drift in the same direction."""
    parameters = track_of(up=8, down=8)
    signs = np.array([0] + [1] * 8 + [-1] * 8)
    generator = np.random.default_rng(0)
    factor = 1 + 0.1 * generator.standard_normal((6, 2))
    moves = signs[:, None, None] * factor * step
    ends = 30e-9 + np.cumsum(moves, axis=0)
    after = signs[:, None, None] * drift
    positions = np.stack([ends - after, ends - after / 2, ends], axis=1)
    history = track_history(positions, signs)
    return parameters, history


def track_history(positions, signs):
    places = ("pulse", "record", "device", "cycle")
    return xr.Dataset(
        {
            "wall_position": (places, positions),
            "wall_count": (places, np.ones(positions.shape, np.int8)),
            "cold_position": (places[:3], positions[..., 0]),
        },
        coords={"sign": ("pulse", signs)},
        attrs={"dt": 1e-13, "backend": "torch"},
    )


def test_a_device_of_positions_has_energies_drifts_and_figures():
    parameters, history = synthetic()
    device = pulsed_track_device(parameters, history, {}, resamples=20)
    assert isinstance(device, PulsedDevice)
    assert device.energy("sot") == (parameters.pulse_energy,) * 2
    assert parameters.pulse_energy == pytest.approx((2e11) ** 2 * 2e-6 * 128e-9 * 16e-9 * 5e-9 * 0.04e-9)
    assert float(device.data["delay_motion"]) == pytest.approx(3e-9)
    assert float(device.data["pulse_motion"]) == pytest.approx(7e-9, rel=0.1)
    low, high = device.data["delay_motion_interval"].values
    assert low == pytest.approx(high)
    assert device.asymmetry == pytest.approx(0, abs=0.05)
    assert device.data["nonlinearity"].values == pytest.approx([0, 0], abs=0.05)
    assert not any("gate" in line for line in device.assumed)


def test_a_lost_wall_has_no_position_from_then_on():
    _, history = synthetic()
    history["wall_count"][5, 1, 2, 1] = 0
    kept = kept_positions(history)
    assert np.isfinite(kept[:5]).all()
    assert np.isfinite(kept[5, 0, 2, 1])
    assert np.isnan(kept[5, 1:, 2, 1]).all()
    assert np.isnan(kept[6:, :, 2, 1]).all()
    assert np.isfinite(kept[:, :, 0]).all()
    assert np.isfinite(drift_in_delays(kept, history["sign"].values, 0, (0.0, 1.0))["delay_motion"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"protocol": {"settle": 1e-9}}, "protocol: means nothing where identical pulses move the wall"),
        ({"train": {"start": 600e-9}}, r"train\.start = 6e-07: must lie on the track of 5\.12e-07 m"),
        ({"train": {"up": 1}}, r"train\.up = 1: input should be greater than or equal to 2"),
        ({"shape": {"patches": {"period": 17.0}}}, r"shape\.patches\.period"),
    ],
)
def test_impossible_trains_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        PulsedTrackParameters(**values)
