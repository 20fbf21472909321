"""Devices moved by pulses: laws against their closed forms, files, refusals, and drawn devices."""

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import (
    DeviceSample,
    PulsedDevice,
    gaussian_device,
    named_pulsed_device,
    read_any_device,
    read_device,
    read_pulsed_device,
    write_device,
)
from barkhausen.device.pulses.figures import nonlinearity

SPREAD = {"scale_sd": (0.2, 0.3), "scale_correlation": 0.6, "bound_sd": (0.05, 0.02)}


def test_soft_bounds_follow_a_geometric_series():
    device = PulsedDevice.soft_bounds((0.1, 0.05))
    curve = device.curve(20, 10)
    np.testing.assert_allclose(curve[:21], 1 - 2 * 0.9 ** np.arange(21), atol=1e-12)
    np.testing.assert_allclose(curve[20:], (curve[20] + 1) * 0.95 ** np.arange(11) - 1, atol=1e-12)
    # Steps s_up (1 - w) and -s_down (1 + w) differ everywhere but where they are equal.
    w0 = (0.1 - 0.05) / 0.15
    areas = [(0.15 / 2) * (w - w0) ** 2 for w in (-1, 1)]
    assert device.asymmetry == pytest.approx(sum(areas) / (0.1 * 2 + 0.05 * 2), rel=1e-3)


@pytest.mark.parametrize("nu", [-3.0, 0.0, 0.5, 5.0])
def test_neurosim_curve_and_its_nonlinearity(nu):
    device = PulsedDevice.neurosim((nu, 2.0), (40, 30))
    shares = np.linspace(0, 1, 41)
    wanted = shares if nu == 0 else np.expm1(-nu * shares) / np.expm1(-nu)
    np.testing.assert_allclose(device.curve(40, 30)[:41], 2 * wanted - 1, atol=1e-9)
    assert nonlinearity(device.curve(40)[:41]) == pytest.approx(nu, abs=1e-6)
    falling = device.curve(0, 30, start=1.0)
    assert falling[-1] == pytest.approx(-1)
    assert nonlinearity(falling) == pytest.approx(2.0, abs=1e-6)


def test_exponential_step_is_mirrored_down():
    device = PulsedDevice.exponential((3.0, 5.0), (0.1, 0.2), cycle_sd=0.3)
    weight = np.array([-1.0, 0.0, 0.5])
    np.testing.assert_allclose(device.step(weight, 1), 0.1 * np.exp(-3 * (weight + 1) / 2), rtol=1e-3)
    np.testing.assert_allclose(device.step(-weight, -1), -0.2 * np.exp(-5 * (weight + 1) / 2), rtol=1e-3)
    np.testing.assert_allclose(device.step_sd(weight, 1), 0.3 * device.step(weight, 1))


def test_file_keeps_everything_and_names_its_kind(tmp_path):
    energies = {"sot": (1e-14, 2e-14), "gate": (0.0, 3e-15)}
    device = PulsedDevice.soft_bounds(0.05, energies=energies, causes={"sot": "SOT pulses"}, read_sd=0.01, **SPREAD)
    path = tmp_path / "p.nc"
    write_device(device, path)
    found = read_pulsed_device(path)
    assert found.data.identical(device.data)
    assert found.energy("gate") == (0.0, 3e-15)
    assert found.energy() == pytest.approx((1e-14, 2.3e-14))
    assert found.energy_causes == {"sot": "SOT pulses", "gate": "gate"}
    assert isinstance(read_any_device(path), PulsedDevice)
    with pytest.raises(InputError, match=r"p\.nc: is a device moved by pulses \(kind = 'pulses'\), but a device that"):
        read_device(path)
    write_device(gaussian_device(), path)
    with pytest.raises(InputError, match=r"p\.nc: is a device that is reset and programmed.*moved by pulses"):
        read_pulsed_device(path)


def changed(name, function):
    def change(data):
        data[name] = data[name].copy(data=function(data[name].values.copy()))
        return data

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data.drop_vars("scale_sd"), "variable 'scale_sd' is missing"),
        (changed("step_mean", lambda v: -v), "a step against the direction of its pulse"),
        (changed("step_mean", lambda v: v * [[1], [0]]), "zero everywhere for pulses down"),
        (changed("step_sd", lambda v: -v), "'step_sd' holds a value that is not 0 to 20"),
        (changed("grid_weight", lambda v: v**3), "'grid_weight' must rise evenly from -1 to 1"),
        (changed("state_range", lambda v: v[::-1]), "'state_range' is 1e-05 to 1e-06: must be rising"),
        (changed("scale_correlation", lambda v: v + 2), "'scale_correlation' holds a value that is not -1 to 1"),
    ],
)
def test_impossible_devices_are_refused(change, message):
    data = PulsedDevice.soft_bounds(0.05, scale_sd=(0.1, 0.1)).data.copy()
    with pytest.raises(InputError, match=message):
        PulsedDevice(change(data))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PulsedDevice.soft_bounds(0.0), r"step = 0\.0: must be positive"),
        (lambda: PulsedDevice.linear(0.1, slope=1.5), r"slope = 1\.5: must lie between -1 and 1"),
        (lambda: PulsedDevice.neurosim(1.0, 0), "pulses = 0: must be at least 1"),
        (lambda: named_pulsed_device("soft-bound-30"), "no device moved by pulses 'soft-bound-30'; known: "),
    ],
)
def test_impossible_laws_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_drawn_devices_have_the_declared_spreads():
    device = PulsedDevice.soft_bounds(0.05, **SPREAD)
    sample = DeviceSample.draw(device, 40000, np.random.default_rng(1))
    np.testing.assert_allclose(sample.factor.mean(axis=1), 1, atol=0.006)
    np.testing.assert_allclose(sample.factor.std(axis=1), SPREAD["scale_sd"], rtol=0.03)
    assert np.corrcoef(np.log(sample.factor))[0, 1] == pytest.approx(0.6, abs=0.02)
    np.testing.assert_allclose([sample.low.std(), sample.high.std()], SPREAD["bound_sd"], rtol=0.03)
    weight = (sample.low + sample.high) / 2
    after = sample.pulsed(weight, np.where(np.arange(40000) % 2, 1, 0), np.random.default_rng(2))
    assert (after[::2] == weight[::2]).all()
    steps = (after - weight)[1::2] / sample.factor[0, 1::2]
    assert steps.mean() == pytest.approx(0.05, rel=0.01)
    assert steps.std() == pytest.approx(0.3 * 0.05, rel=0.02)


def test_named_textbook_devices():
    assert named_pulsed_device("soft-bounds-30").states == pytest.approx(30)
    assert named_pulsed_device("linear-64").asymmetry == 0
    assert named_pulsed_device("exponential-5").law["nu"] == [5, 5]
