"""A saved state goes only into synapses of the device, margin and attempts that it was saved with."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice, gaussian_device, preset, read_device, write_device
from barkhausen.device.identity import HASH_BYTES, statistics_hash
from barkhausen.device.resistive.technology import ResistiveParameters, resistive_device
from barkhausen.learning import InSitu, LinearMargin, convert, synapse_layers, transfer

pytestmark = pytest.mark.usefixtures("one_thread")

IDENTITY = ("device_hash", "margin", "max_attempts")

HASHES = {"gaussian": "50754cda293f83be0a659ae1adb0c833", "measured": "7571f2a40590d730578fa894ade79dc6"}
"""Hashes of device files of version 0.1.0, which saved states hold."""


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(device: Any = "racetrack-2", margin: float = 0.3, attempts: int = 1, seed: int = 0) -> nn.Module:
    plain = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 2))
    return convert(plain, device, margin, max_attempts=attempts, generator=seeded(seed))


def measured(shift: float = 0.0) -> CharacterisedDevice:
    """A measured device; with a shift, two of its devices exchange a part of their offsets in one state."""
    random = np.random.default_rng(1)
    values = 1e-6 * (np.arange(1.0, 4.0)[:, None, None] + 0.05 * random.standard_normal((3, 8, 6)))
    cycle = values[1, 0, 0] - values[1, 0, 1]
    values[1, 0, 0] -= shift * cycle
    values[1, 0, 1] += shift * cycle
    return resistive_device(values, ResistiveParameters(conductance_low=0.0, conductance_high=5e-6), source="measured")


# --- the hash -----------------------------------------------------------------------------------------------


def test_devices_of_other_statistics_have_other_hashes() -> None:
    names = ["racetrack-2", "nonvolatile-2", "gaussian-2", "racetrack-5", "notched-5", "nonvolatile-5", "gaussian-5"]
    devices = [
        *map(preset, names),
        gaussian_device(5, 0.2),
        gaussian_device(5, sigma_device=0.0),
        measured(),
        measured(1),
    ]
    assert len({statistics_hash(device) for device in devices}) == len(devices)
    assert all(len(statistics_hash(device)) == HASH_BYTES for device in devices)


def test_the_hash_stays_through_a_file_and_through_what_is_no_statistics(tmp_path: Path) -> None:
    for number, device in enumerate([preset("racetrack-3"), gaussian_device(4), measured()]):
        path = tmp_path / f"{number}.nc"
        write_device(device, path)
        assert statistics_hash(read_device(path)) == statistics_hash(device)
        more = xr.Dataset(attrs={"assumed": "[]"})
        assert statistics_hash(device.extended(more)) == statistics_hash(device)
        # Rounding of the last digits differs between machines.
        data = device.data.assign(state_value=device.data["state_value"] * (1 + 4e-16))
        assert statistics_hash(CharacterisedDevice(data)) == statistics_hash(device)
    # The sample of a normal device is not what its synapses are drawn from.
    assert statistics_hash(gaussian_device(5, seed=1)) == statistics_hash(gaussian_device(5, seed=2))


def test_the_hash_of_a_file_of_the_last_version_is_kept() -> None:
    old = Path(__file__).parents[1] / "old_versions" / "0.1.0"
    found = {name: statistics_hash(read_device(old / f"device-{name}.nc")).hex() for name in ("gaussian", "measured")}
    assert found == HASHES


# --- states -------------------------------------------------------------------------------------------------

OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "device": ({"device": "gaussian-2"}, r"saved with another device \(spread 0\.\d+, not 0\.15\);"),
    "states": ({"device": "racetrack-5"}, r"another device \(2 states, not 5\)"),
    "margin": ({"margin": 0.4}, r"saved with margin = 0\.3, not 0\.4; convert with the same"),
    "attempts": ({"attempts": 5}, r"saved with max_attempts = 1, not 5; convert with the same"),
    "all": (
        {"device": "gaussian-2", "margin": 0.31, "attempts": 2},
        r"another device \(spread .*\) and margin = 0\.3, not 0\.31 and max_attempts = 1, not 2;",
    ),
}  # fmt: skip


def through_safetensors(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    save_file(state, path)
    return load_file(path)


def through_torch(state: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    torch.save(state, path)
    loaded: dict[str, Tensor] = torch.load(path, weights_only=True)
    return loaded


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("through", [through_safetensors, through_torch])
def test_a_state_of_other_synapses_is_refused_and_says_what_differs(
    through: Callable[..., dict[str, Tensor]], other: str, strict: bool, tmp_path: Path
) -> None:
    changes, line = OTHERS[other]
    state = through(network().state_dict(), tmp_path / "state")
    model = network(**changes, seed=1)
    before = copy.deepcopy(model.state_dict())
    with pytest.raises(InputError, match=line) as caught:
        model.load_state_dict(state, strict=strict)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("0.synapses: saved with ")
    # Nothing of the devices has been loaded.
    assert all(torch.equal(v, before[key]) for key, v in model.state_dict().items() if ".synapses." in key)


def test_devices_of_the_same_levels_and_spreads_are_told_apart() -> None:
    state = network(measured()).state_dict()
    same = network(measured(), seed=1)
    same.load_state_dict(state)
    other = network(measured(1.0), seed=1)
    with pytest.raises(InputError, match=r"another device \(of the same levels and spreads, but other statistics\)"):
        other.load_state_dict(state)


@pytest.mark.parametrize("precision", [torch.float16, torch.float32, torch.float64])
def test_a_state_in_another_precision_is_still_its_own(precision: torch.dtype) -> None:
    state = network(margin=0.37).state_dict()
    cast = {key: value.to(precision) if value.is_floating_point() else value for key, value in state.items()}
    network(margin=0.37, seed=1).load_state_dict(cast)
    with pytest.raises(InputError, match="margin"):
        network(margin=0.375, seed=1).load_state_dict(cast)


def test_states_of_earlier_versions_are_checked_as_far_as_they_go() -> None:
    state = network().state_dict()
    for key in [key for key in state if key.endswith(IDENTITY)]:
        del state[key]
    model = network(margin=0.4, seed=1)
    model.load_state_dict(copy.copy(state))
    assert torch.equal(model[0].synapses.weight, state["0.synapses.weight"])
    with pytest.raises(InputError, match="another device"):
        network("gaussian-2").load_state_dict(state)


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("margin", torch.zeros(2), r"0\.synapses\.margin: must be one number, got 2"),
        ("margin", 0.3, r"0\.synapses\.margin: must be a tensor, got float"),
        ("margin", torch.tensor(torch.nan), r"margin = nan, not 0\.3"),
        ("device_hash", torch.zeros(3), "another device"),
        ("device_hash", torch.zeros(0), "another device"),
    ],
)
def test_a_damaged_identity_is_one_line(name: str, value: Any, line: str) -> None:
    state = network().state_dict()
    state[f"0.synapses.{name}"] = value
    with pytest.raises(InputError, match=line):
        network().load_state_dict(state)


def test_the_average_and_the_chip_of_a_network_keep_its_identity() -> None:
    model = network()
    AveragedModel(model).load_state_dict(AveragedModel(model).state_dict())
    chip = transfer(model, chips=1, margin=0.2, max_attempts=5)[0]
    network(margin=0.2, attempts=5, seed=1).load_state_dict(chip.state_dict())
    with pytest.raises(InputError, match=r"margin = 0\.2, not 0\.3 and max_attempts = 5, not 1"):
        model.load_state_dict(chip.state_dict())


# --- margins that a schedule changes ------------------------------------------------------------------------


def trained(model: nn.Module, learner: InSitu, steps: int, seed: int) -> None:
    for _ in range(steps):
        x = torch.randn((8, 6), generator=seeded(seed))
        model(x).square().sum().backward()
        learner.step()
        learner.zero_grad()


def learning(seed: int) -> tuple[nn.Module, InSitu, torch.Generator]:
    model, noise = network("racetrack-3", margin=0.5, seed=seed), seeded(seed + 1)
    schedule = LinearMargin(1.0, 0.1, steps=9)
    return model, InSitu(torch.optim.SGD(model.parameters(), lr=0.05), model, noise, margin_schedule=schedule), noise


def test_a_run_whose_margin_narrows_resumes_to_the_bit() -> None:
    model, learner, noise = learning(0)
    trained(model, learner, 5, 1)
    saved: Any = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    assert next(layer for _, layer in synapse_layers(model)).synapses.margin == pytest.approx(0.5 * 0.6)
    assert float(saved[0]["0.synapses.margin"]) == 0.5
    trained(model, learner, 6, 2)
    other, other_learner, other_noise = learning(7)
    other.load_state_dict(saved[0])
    other_learner.load_state_dict(saved[1])
    other_noise.set_state(saved[2])
    trained(other, other_learner, 6, 2)
    for key, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key


def test_a_second_learner_begins_with_the_margin_of_the_layers_as_a_resumed_run_does() -> None:
    model, learner, _ = learning(0)
    trained(model, learner, 9, 1)
    second = InSitu(torch.optim.SGD(model.parameters(), lr=0.05), model, seeded(3))
    assert second.margins == [0.5, 0.5]
