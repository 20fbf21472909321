from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from barkhausen.core.errors import InputError
from barkhausen.device import DeviceParameters, GaussianStates, gaussian_device, preset, preset_names
from barkhausen.device.presets import CYCLE_SHARE, DEVICE_SHARE
from barkhausen.device.technology import load_technology


@pytest.mark.parametrize("name", preset_names())
def test_every_named_preset_exists_and_has_as_many_states_as_its_name_says(name: str) -> None:
    device = preset(name)
    assert name.split("-")[1] == f"{device.states}"
    assert (device.source == "gaussian") == name.startswith("gaussian-")
    assert (device.source == "declared") == name.startswith("oxram-")
    assert isinstance(device.distribution(), GaussianStates) == (device.source == "gaussian")


def test_paper_s_numbers_of_states_are_among_the_presets() -> None:
    assert {preset(name).states for name in preset_names()} >= {2, 3, 5}


def test_any_number_of_states_has_a_preset() -> None:
    assert preset("gaussian-4").states == 4
    assert preset("gaussian-256").states == 256


@pytest.mark.parametrize(
    ("name", "culprit"),
    [
        ("gaussian", r"no device preset 'gaussian'; known: racetrack-2, .*, and gaussian-N for any number of states N"),
        ("gausian-3", r"no device preset 'gausian-3'; known: racetrack-2"),
        ("gaussian-3\n", r"no device preset 'gaussian-3 '"),
        ("gaussian-", r"no device preset 'gaussian-'"),
        ("gaussian-0", r"states = 0: a synapse needs 2 to 256 states"),
        ("gaussian-1", r"states = 1: a synapse needs 2 to 256 states"),
        ("gaussian-257", r"states = 257: a synapse needs 2 to 256 states"),
        ("gaussian-99999", r"no device preset 'gaussian-99999'"),
    ],
)
def test_unknown_preset_is_named_with_what_is_known(name: str, culprit: str) -> None:
    with pytest.raises(InputError, match=f"^{culprit}"):
        preset(name)


@pytest.mark.parametrize("name", ["sigma", "sigma_device", "sigma_cycle"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf])
def test_sigma_that_no_device_can_have_is_named(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{name} = {value}: must be zero or positive"):
        gaussian_device(3, **{name: value})


def test_sigma_is_split_so_that_its_parts_add_up_in_square() -> None:
    assert math.hypot(DEVICE_SHARE, CYCLE_SHARE) == pytest.approx(1.0)
    device = gaussian_device(5, 0.2)
    distribution = device.distribution()
    assert isinstance(distribution, GaussianStates)
    assert distribution.sigma_device.tolist() == pytest.approx([0.12] * 5)
    assert distribution.sigma_cycle.tolist() == pytest.approx([0.16] * 5)
    # In metres: the weight range of 2 spans 0.6 of the 512 nm track.
    mean, between, within = device.moments
    assert mean / 512e-9 == pytest.approx([0.2, 0.35, 0.5, 0.65, 0.8])
    assert np.hypot(between, within) / 512e-9 == pytest.approx(np.full(5, 0.2 * 0.6 / 2))


def test_parts_of_sigma_can_be_given_instead() -> None:
    distribution = gaussian_device(2, 0.5, sigma_device=0.0, sigma_cycle=0.3).distribution()
    assert isinstance(distribution, GaussianStates)
    assert distribution.sigma_device.tolist() == [0.0, 0.0]
    assert distribution.sigma_cycle.tolist() == pytest.approx([0.3, 0.3])


def test_sample_has_the_declared_moments_and_stays_on_the_track() -> None:
    devices, cycles, sigma = 400, 25, 0.15
    device = gaussian_device(3, sigma, devices=devices, cycles=cycles)
    position = device.data["state_value"].values
    assert position.shape == (3, devices, cycles)
    assert position.min() >= 0
    assert position.max() <= 512e-9
    weight = device.weight_of(position)
    # The mean of a state has the standard error sqrt(sd^2 / D + sc^2 / (D n)); four of them.
    error = 4 * math.sqrt((0.6 * sigma) ** 2 / devices + (0.8 * sigma) ** 2 / (devices * cycles))
    assert weight.mean(axis=(1, 2)) == pytest.approx([-1, 0, 1], abs=error)
    # Most of the spread of a variance is that of D device offsets: sqrt(2 / D) of their part, 0.36 of the whole.
    assert weight.var(axis=(1, 2)) == pytest.approx([sigma**2] * 3, rel=4 * 0.36 * math.sqrt(2 / devices) + 0.02)


def test_wide_sample_is_cut_at_the_ends_of_the_track() -> None:
    position = gaussian_device(2, 2.0).data["state_value"].values
    assert position.min() == 0.0
    assert position.max() == 512e-9


def test_sample_follows_from_the_seed() -> None:
    first, again, other = (gaussian_device(3, seed=seed).data["state_value"].values for seed in (1, 1, 2))
    assert (first == again).all()
    assert (first != other).any()


def test_zero_sigma_is_a_perfect_device() -> None:
    device = gaussian_device(3, 0.0)
    assert np.ptp(device.data["state_value"].values, axis=(1, 2)) == pytest.approx(np.zeros(3), abs=1e-20)
    distribution = device.distribution()
    assert isinstance(distribution, GaussianStates)
    assert not distribution.sigma_device.any()
    assert not distribution.sigma_cycle.any()


def test_declared_assumptions_name_sigmas_window_and_defaults() -> None:
    text = "\n".join(gaussian_device(3, 0.2).assumed)
    assert "between devices 0.12 and between cycles 0.16" in text
    assert "0.2 and 0.8 of the track" in text
    assert "track.length = 5.12e-07 (default)" in text


def test_parameters_set_the_length_of_the_track() -> None:
    device = gaussian_device(3, parameters=DeviceParameters.model_validate({"track": {"length": 1e-6}}))
    assert device.state_range[1] == 1e-6
    assert device.moments[0] / 1e-6 == pytest.approx([0.2, 0.5, 0.8])


def test_a_table_is_no_preset_and_its_command_is_named(tmp_path: Path) -> None:
    table = tmp_path / "measured.csv"
    table.write_text("state,device,cycle,position_nm\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"is no device file .*import-device"):
        preset(str(table))


def test_the_parameter_file_of_a_shipped_device_is_offered_where_its_name_is_given() -> None:
    with pytest.raises(InputError, match="racetrack-5: no such file; `barkhausen recipes racetrack-5 --out FILE`"):
        load_technology("racetrack-5")
