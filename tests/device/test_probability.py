from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from barkhausen.core.errors import InputError, OutcomeError
from barkhausen.device import PassCurve, ProbabilityDevice, fit_curve, read_any_device, read_device, write_device
from barkhausen.device.probability import Attempts

CURVE = PassCurve(3.2e11, 1.5e-10, 0.97)
DRIVE = np.linspace(2.5e11, 4e11, 8)


def counted(spread: float, wires: int = 60, cycles: int = 30) -> Attempts:
    random = np.random.default_rng(0)
    shift = spread * random.standard_normal(wires)
    attempts = np.full((len(DRIVE), wires), cycles)
    return Attempts(DRIVE, random.binomial(attempts, CURVE(DRIVE[:, None] - shift)), attempts, 0 * attempts)


@pytest.fixture(scope="module")
def device() -> ProbabilityDevice:
    counts = counted(1e10)
    fit = fit_curve(counts.drive, counts.passes, counts.attempts, resamples=40)
    return ProbabilityDevice.from_curve(
        fit.curve,
        technology="domain-wall",
        source="micromagnetics",
        drive=("current density", "A/m2", "current density of the pulse"),
        spread=fit.spread,
        fit=fit,
        counts=counts,
        energies={"sot": (1e-14, 2.0, "SOT pulse"), "read": (1e-15, 0.0, "read")},
    )


def test_the_fit_finds_curve_and_spread_within_its_intervals(device: ProbabilityDevice) -> None:
    truth = {"midpoint": 3.2e11, "slope": 1.5e-10, "amplitude": 0.97, "midpoint_spread": 1e10}
    for name, value in truth.items():
        low, high = device.interval(name) or (0.0, 0.0)
        # 40 resamples give rough ends.
        assert low - 0.3 * (high - low) < value < high + 0.3 * (high - low)
    assert device.curve.midpoint == pytest.approx(3.2e11, rel=0.02)
    assert device.spread == pytest.approx(1e10, rel=0.4)


def test_energy_follows_the_power_of_the_drive(device: ProbabilityDevice) -> None:
    twice = 2 * np.array(device.curve.midpoint)
    assert float(device.energy("sot", twice)) == pytest.approx(4e-14)
    assert float(device.energy("read", twice)) == pytest.approx(1e-15)


def test_counts_that_do_not_rise_are_refused() -> None:
    attempts = np.full((4, 3), 10)
    with pytest.raises(OutcomeError, match="widen the sweep"):
        fit_curve(np.arange(1.0, 5.0), np.zeros((4, 3), int), attempts)


def test_a_file_holds_the_device(device: ProbabilityDevice, tmp_path: Path) -> None:
    path = tmp_path / "notch.nc"
    write_device(device, path)
    again = read_any_device(path)
    assert again.curve == device.curve
    assert again.energy_causes == {"sot": "SOT pulse", "read": "read"}
    assert np.array_equal(again.counts.passes, device.counts.passes)  # type: ignore[union-attr]
    with pytest.raises(InputError, match="probability"):
        read_device(path)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("slope", -1.0, "'slope' is -1: must be positive"),
        ("amplitude", 1.5, "'amplitude' is 1.5: must be above 0 and at most 1"),
        ("midpoint_spread", -2.0, "must not be negative"),
        ("midpoint", np.nan, "'midpoint' must be a single finite number"),
    ],
)
def test_impossible_values_are_refused(device: ProbabilityDevice, name: str, value: float, message: str) -> None:
    data: xr.Dataset = device.data.copy()
    data[name] = ((), value)
    with pytest.raises(InputError, match=message):
        ProbabilityDevice(data)


def test_the_shipped_curve_is_that_of_the_authors() -> None:
    published = read_any_device(Path(__file__).parents[2] / "src/barkhausen/device/shipped/ellis-2023.nc")
    assert published.curve == PassCurve(4.63168, 2.72741, 0.97813)
    assert published.weight_unit == 1.0
