"""Fits to curves: known devices are recovered within their intervals, also through a table that was exported."""

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceSample, PulsedDevice
from barkhausen.device.importers.pulse_curves import import_pulse_curves
from barkhausen.device.pulses.curves import PulseCurves
from barkhausen.device.pulses.exchange import curve_files
from barkhausen.device.pulses.fits import fit_curves

KNOWN = {
    "cycle_sd": (0.3, 0.2),
    "scale_sd": (0.2, 0.25),
    "scale_correlation": 0.6,
    "bound_sd": (0.05, 0.03),
}


def within(data, name, wanted):
    low, high = np.moveaxis(data[f"{name}_interval"].values, -1, 0)
    return (low <= wanted) & (wanted <= high)


def test_soft_bounds_are_recovered_from_the_table_they_export(tmp_path):
    device = PulsedDevice.soft_bounds((2 / 25, 2 / 35), **KNOWN)
    path = tmp_path / "curves.csv"
    path.write_text(curve_files(device, devices=32, cycles=4, pulses=40, seed=1)["curves.csv"])
    found = import_pulse_curves(path, law="soft-bounds", resamples=100).data
    checks = [
        within(found, "soft_step", [2 / 25, 2 / 35]),
        within(found, "soft_cycle_sd", [0.3, 0.2]),
        within(found, "scale_sd", [0.2, 0.25]),
        within(found, "bound_sd", [0.05, 0.03]),
        within(found, "state_range", [1e-6, 1e-5]),
        within(found, "scale_correlation", 0.6),
    ]
    # 11 intervals of 95 %: two misses or more have a probability of 10 %; the seed is fixed.
    assert np.concatenate([np.atleast_1d(check) for check in checks]).sum() >= 10
    np.testing.assert_allclose(found["soft_step"], [2 / 25, 2 / 35], rtol=0.15)
    np.testing.assert_allclose(found["soft_cycle_sd"], [0.3, 0.2], rtol=0.05)


def fitted(device, *, devices=24, cycles=4, pulses=30, seed=0, noise=0.0, **how):
    generator = np.random.default_rng(seed)
    signs = [1] * pulses + [-1] * pulses
    values = device.value_of(DeviceSample.draw(device, devices, generator).train(signs, cycles, generator))
    values = values + noise * generator.standard_normal(values.shape)
    return fit_curves(
        PulseCurves(values, np.array([0, *signs])), technology="resistive", source="measured", resamples=0, **how
    )


def test_table_follows_another_law_and_splits_the_spreads():
    device = PulsedDevice.neurosim(2.0, 30, cycle_sd=0.25, scale_sd=(0.15, 0.15), scale_correlation=0.9)
    found = fitted(device, devices=40)
    weight = np.array([-0.5, 0.0, 0.5])
    for sign in (1, -1):
        # Bounds are the ends of the curves, which slow devices do not reach: 10 % of the range.
        np.testing.assert_allclose(found.step(weight, sign), device.step(weight, sign), rtol=0.15)
        np.testing.assert_allclose(found.step_sd(weight, sign), 0.25 * np.abs(device.step(weight, sign)), rtol=0.25)
    assert found.data["pattern_sd"].max() < 0.1 * found.step_means.max()


def test_noise_of_reads_is_not_noise_of_cycles():
    device = PulsedDevice.linear(0.05, cycle_sd=0.2)
    low, high = device.state_range
    found = fitted(device, noise=0.01 * (high - low) / 2)
    # In weights of the part of the range that the curves cover.
    scale = (high - low) / (found.state_range[1] - found.state_range[0])
    assert found.read_sd == pytest.approx(0.01 * scale, rel=0.1)
    assert found.step_sd(0.0, 1) == pytest.approx(0.2 * 0.05 * scale, rel=0.3)


def test_steps_are_found_below_the_noise_of_reads():
    """As in aihwkit's data of Gong et al.: a thousand steps, each a hundredth of the noise of a read."""
    device = PulsedDevice.soft_bounds((2 / 500, 2 / 700), cycle_sd=1.0)
    low, high = device.state_range
    found = fitted(device, devices=1, cycles=1, pulses=1000, noise=0.15 * (high - low) / 2)
    scale = (high - low) / (found.state_range[1] - found.state_range[0])
    weight = np.linspace(-0.5, 0.5, 21)
    for sign in (1, -1):
        wanted = scale * device.step(device.weight_of(found.value_of(weight)), sign)
        assert found.step(weight, sign).mean() == pytest.approx(wanted.mean(), rel=0.2)
    assert found.read_sd == pytest.approx(0.15 * scale, rel=0.1)
    assert any("reads are noisier than steps" in line for line in found.assumed)


def test_patterns_of_devices_are_told_from_cycles():
    """Each device has its own frozen steps: no noise at all, and yet different changes at equal weight."""
    generator = np.random.default_rng(3)
    places = np.sort(generator.uniform(0, 1, (20, 31)), axis=1)
    places[:, 0], places[:, -1] = 0, 1
    values = np.concatenate([places, places[:, -2::-1]], axis=1)[:, None].repeat(3, axis=1)
    curves = PulseCurves(values, np.array([0] + [1] * 30 + [-1] * 30))
    found = fit_curves(curves, technology="domain-wall", source="simulated", resamples=0)
    middle = found.data["pattern_sd"].values[:, 4:-4].mean(), found.step_sds[:, 4:-4].mean()
    assert middle[0] > 0.02
    assert any("pattern_sd" in line for line in found.assumed)


def test_curves_that_cannot_be_fitted_are_refused():
    with pytest.raises(InputError, match="steps down: a fit needs 4 or more"):
        PulseCurves(np.zeros((1, 1, 8)), np.array([0, 1, 1, 1, 1, 1, -1, -1]))
    flat = PulseCurves(np.zeros((1, 1, 13)), np.array([0] + [1] * 6 + [-1] * 6))
    with pytest.raises(InputError, match="does not change at all"):
        fit_curves(flat, technology="resistive", source="measured")
    rising = PulseCurves(np.linspace(0, 1, 13)[None, None] ** 2, np.array([0] + [1] * 6 + [-1] * 6))
    with pytest.raises(InputError, match="do not fall towards a bound"):
        fit_curves(rising, technology="resistive", source="measured", law="soft-bounds")


def test_patterns_of_single_devices_are_recovered_from_devices_that_have_them():
    device = PulsedDevice.from_steps(
        [[0.05] * 9, [-0.05] * 9], [[0.01] * 9] * 2, technology="resistive", source="gaussian"
    )
    pattern = xr.Dataset({"pattern_sd": (("sign", "grid"), np.full((2, 9), 0.01))})
    found = fitted(device.extended(pattern), devices=40, cycles=6, pulses=45, points=9)
    # At the ends the bounds, which are not known, take part of it.
    np.testing.assert_allclose(found.pattern_sds[:, 2:-2].mean(), 0.01, rtol=0.2)
    np.testing.assert_allclose(found.step_sds[:, 2:-2].mean(), 0.01, rtol=0.15)
    assert any("devices that are drawn differ so too" in line for line in found.assumed)
    assert not fitted(device, devices=40, cycles=6, pulses=45, points=9).pattern_sds[:, 2:-2].any()
