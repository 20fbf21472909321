"""Walls that wait: transition probabilities against the matrix exponential, and what they do to arrays and networks."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from scipy.linalg import expm
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.units import BOLTZMANN
from barkhausen.device import CharacterisedDevice, DeviceParameters, domain_wall_device, gaussian_device
from barkhausen.learning import convert, synapse_layers, wait
from barkhausen.synapse import Faults, SynapseArray
from barkhausen.synapse.drift import disturb, drift, escape_rates, transitions

LENGTH, HEAT = 512e-9, 300.0
COUNT = 20_000


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def device(
    rate: Any, direction: Any, *, frequency: float = 1e9, temperature: float | None = HEAT, own_noise: bool = False
) -> CharacterisedDevice:
    """States evenly from 0.2 to 0.8 of the track, left at given rates (Hz at 300 K) to given sides [state, device]."""
    rate, direction = (np.atleast_2d(np.asarray(x, dtype=np.float64)) for x in (rate, direction))
    states, devices = rate.shape
    generator = np.random.default_rng(0)
    mean = np.linspace(0.2, 0.8, states)[:, None, None]
    positions = LENGTH * (mean + 0.004 * generator.standard_normal((states, devices, 6)))
    barrier = BOLTZMANN * HEAT * np.log(frequency / rate)
    both = ("state", "device")
    more = xr.Dataset(
        {
            "barrier": (both, barrier),
            "attempt_frequency": (both, np.where(np.isnan(rate), np.nan, frequency)),
            "escape_direction": (both, direction),
        },
        attrs={} if temperature is None else {"temperature": temperature},
    )
    if own_noise:
        widths = {name: ("state", np.full(states, 1e-10)) for name in ("bandwidth_device", "bandwidth_cycle")}
        more = more.assign(widths).assign_attrs(noise_pool="device")
    return domain_wall_device(positions, DeviceParameters(), source="measured", extras=[more])


def uneven(seed: int = 0, states: int = 5, devices: int = 7) -> CharacterisedDevice:
    generator = np.random.default_rng(seed)
    rate = 10.0 ** generator.uniform(-2, 1, (states, devices))
    return device(rate, generator.choice([-1.0, 1.0], (states, devices)))


def programmed(of: CharacterisedDevice, count: int = COUNT, **how: Any) -> SynapseArray:
    array = SynapseArray((count,), of, margin=9.0, **how, generator=seeded())
    array.program(torch.arange(count) % of.states, generator=seeded(1))
    return array


def exact(of: CharacterisedDevice, seconds: float) -> np.ndarray:
    """Of scipy, from a generator matrix made entry by entry."""
    rate, side = escape_rates(of), of.data["escape_direction"].values
    states, devices = rate.shape
    found = []
    for d in range(devices):
        matrix = np.zeros((states + 2, states + 2))
        for state in range(states):
            matrix[state + 1, state + 1 + int(side[state, d])] += rate[state, d]
            matrix[state + 1, state + 1] -= rate[state, d]
        found.append(expm(matrix * seconds))
    return np.array(found)


@pytest.mark.parametrize("seconds", [1e-6, 1e-3, 0.1, 1.0, 10.0, 300.0])
def test_transitions_are_the_matrix_exponential(seconds: float) -> None:
    np.testing.assert_allclose(transitions(uneven(), seconds), exact(uneven(), seconds), rtol=1e-8, atol=1e-13)


def test_one_state_that_leaves_to_the_end_decays_exponentially() -> None:
    leaving = device([[2.0], [1e-9]], [[-1], [1]])
    for seconds in (0.01, 1.0, 10.0):
        found = transitions(leaving, seconds)[0]
        assert found[1, 1] == pytest.approx(math.exp(-2 * seconds), rel=1e-9)
        assert found[1, 0] == pytest.approx(-math.expm1(-2 * seconds), rel=1e-9)
        assert found[2, 3] == pytest.approx(1e-9 * seconds, rel=1e-8)


@pytest.mark.parametrize("seconds", [0.0, 1e-20, 1.0, 1e9, 1e30])
@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e12])
def test_probabilities_are_conserved_however_extreme_the_rates(seconds: float, scale: float) -> None:
    generator = np.random.default_rng(1)
    rate = scale * 10.0 ** generator.uniform(-6, 0, (4, 5))
    found = transitions(device(rate, generator.choice([-1.0, 1.0], (4, 5)), frequency=1e12), seconds)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(-1), 1.0, rtol=1e-12)
    # Whoever is at an end stays there.
    ends = np.zeros((2, 6))
    ends[0, 0] = ends[1, 5] = 1
    assert np.array_equal(found[:, [0, 5]], np.broadcast_to(ends, (5, 2, 6)))
    if seconds == 0:
        assert np.array_equal(found, np.broadcast_to(np.eye(6), found.shape))


def test_very_rare_events_keep_their_digits_and_their_side() -> None:
    rare = device([[1e-20], [3e-20]], [[1], [1]])
    found = transitions(rare, 1e-10)[0]
    assert found[1, 2] == pytest.approx(1e-30, rel=1e-9, abs=0)
    assert found[2, 3] == pytest.approx(3e-30, rel=1e-9, abs=0)
    assert found[1, 3] == pytest.approx(1.5e-60, rel=1e-9, abs=0)
    assert found[1, 0] == found[2, 1] == 0
    long = transitions(device([[1.0], [1.0]], [[1], [1]]), 1e6)[0]
    assert long[1, 3] == pytest.approx(1.0, abs=1e-12)


def test_walls_caught_between_two_states_find_their_equilibrium() -> None:
    # 0 to 1 at 1 Hz, back at 3 Hz: three of four are in state 0 at last, and none ever leaves.
    for power in (1.0, 1e11):
        found = transitions(device([[power], [3 * power]], [[1], [-1]], frequency=1e12), 1e9)[0]
        np.testing.assert_allclose(found[1:3, 1:3], [[0.75, 0.25], [0.75, 0.25]], rtol=1e-9)


def test_temperature_is_that_of_the_characterisation_unless_given() -> None:
    one = device([[1.0]] * 2, [[1.0], [1.0]])
    assert escape_rates(one) == pytest.approx(1.0)
    # f0 exp(−E/kT) with E = kT0 ln f0: rate = f0^(1 − T0/T).
    assert escape_rates(one, 330.0) == pytest.approx(1e9 ** (1 - HEAT / 330))
    assert escape_rates(one, 30.0) == pytest.approx(1e9 ** (1 - 10), rel=1e-6, abs=0)
    silent = device([[1.0]] * 2, [[1.0], [1.0]], temperature=None)
    with pytest.raises(InputError, match="does not say its temperature"):
        escape_rates(silent)
    assert escape_rates(silent, HEAT) == pytest.approx(1.0)


def test_what_is_not_known_of_one_device_is_taken_from_the_others() -> None:
    nan = math.nan
    partly = device([[1.0, 4.0, 9.0, nan], [1.0, 1.0, 1.0, 1.0]], [[-1, -1, 1, nan], [1, 1, 1, 1]])
    assert escape_rates(partly)[0, 3] == pytest.approx(4.0)
    # Most devices leave this state to the left.
    found = transitions(partly, 0.1)[3]
    assert found[1, 0] > 0
    assert found[1, 2] == 0
    # A place that no barrier keeps (no attempt frequency) is left at once.
    partly.data["attempt_frequency"][0, 0] = nan
    assert escape_rates(partly)[0, 0] == 1e12
    with pytest.raises(InputError, match="no barrier at all for state 1"):
        escape_rates(device([[1.0, 1.0], [nan, nan]], [[-1, 1], [1, 1]]))


IMPOSSIBLE_WAITS: list[tuple[float, float | None, str]] = [
    (-1.0, None, "seconds = -1"),
    (math.nan, None, "seconds = nan"),
    (math.inf, None, "seconds = inf"),
    (1.0, 0.0, "temperature = 0"),
    (1.0, -5.0, "temperature = -5"),
    (1.0, math.nan, "temperature = nan"),
]


def test_impossible_waits_are_refused() -> None:
    for seconds, temperature, word in IMPOSSIBLE_WAITS:
        with pytest.raises(InputError, match=word):
            drift(programmed(uneven(), 10), seconds, temperature)


def test_a_device_without_barriers_cannot_wait() -> None:
    with pytest.raises(InputError, match="has no 'barrier'"):
        wait(convert(nn.Linear(3, 3), gaussian_device(5), 0.3), 1.0)
    with pytest.raises(InputError, match="no synapse layer"):
        wait(nn.Linear(3, 3), 1.0)


def places(array: SynapseArray) -> Tensor:
    """Left end 0, states from 1 on, right end last."""
    low, high = array.kind.weight_range
    at = array.state.long() + 1
    at = torch.where(array.weight <= low + 1e-6, 0, at)
    return torch.where(array.weight >= high - 1e-6, array.states + 1, at)


@pytest.mark.parametrize("own_noise", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_walls_move_as_the_transitions_say(own_noise: bool, dtype: torch.dtype) -> None:
    rate = [[1.0, 0.2], [0.5, 0.5], [2.0, 0.1]]
    of = device(rate, [[1, -1], [-1, 1], [1, 1]], own_noise=own_noise)
    array = programmed(of, 60_000).to(dtype)
    before, weight = array.state.clone(), array.weight.clone()
    moved = drift(array, 1.0, generator=seeded(2))
    assert array.weight.dtype == dtype
    assert array.state.dtype == torch.uint8
    at, chance = places(array), transitions(of, 1.0).mean(0)
    for state in range(3):
        share = torch.bincount(at[before == state], minlength=5) / 20_000
        assert float((share - torch.tensor(chance[state + 1])).abs().max()) < 5 * math.sqrt(0.25 / 20_000)
    stayed = at == before.long() + 1
    assert moved == pytest.approx(float((~stayed).float().mean()))
    assert torch.equal(array.weight[stayed], weight[stayed])
    # Who came to rest elsewhere lies about the level of the new state, drawn anew.
    levels = array.levels.to(dtype)
    for state in range(3):
        come = array.weight[~stayed & (at == state + 1)]
        assert len(come) > 1000
        # About: they are of two devices, whose offsets (0.004/0.3 of the range in all) differ.
        assert float(come.mean()) == pytest.approx(float(levels[state]), abs=0.03)
        assert len(come.unique()) > 10
    # Waiting is not programming.
    assert int(array.counters.attempts.sum()) == 60_000


def test_nothing_happens_in_no_time_and_all_is_lost_in_a_long_one() -> None:
    array = programmed(device([[1.0], [1.0]], [[-1], [1]]))
    before = copy.deepcopy(array.state_dict())
    assert drift(array, 0.0, generator=seeded(2)) == 0
    assert all(torch.equal(tensor, before[key]) for key, tensor in array.state_dict().items())
    assert drift(array, 1e12, generator=seeded(2)) == 1
    low, high = array.kind.weight_range
    expected = torch.where(before["state"] == 0, low, high)
    torch.testing.assert_close(array.weight, expected)


def test_a_wall_at_an_end_stays_there() -> None:
    # State 0 is left to the right, so that a wall at the left end must not be taken for one in state 0.
    of = device([[1e3], [1e-12], [1e3]], [[1], [1], [-1]])
    array = programmed(of, 300)
    low, high = array.kind.weight_range
    array.weight[:100], array.weight[100:200] = low, high
    array.state[:100], array.state[100:200] = 0, 2
    before = array.weight.clone()
    drift(array, 1.0, generator=seeded(2))
    assert torch.equal(array.weight[:200], before[:200])
    assert (array.state[200:] == 1).all()


def test_waiting_twice_is_waiting_twice_as_long() -> None:
    # Half of the devices hold for ever, the others for no time: what is left after the first second stays.
    of = device([[1e3, 1e-12]] * 2, [[-1, -1], [1, 1]], own_noise=True)
    array = programmed(of, COUNT)
    for _ in range(3):
        drift(array, 1.0, generator=seeded(2))
        at = places(array)
        assert float(((at == 0) | (at == 3)).float().mean()) == pytest.approx(0.5, abs=0.02)
    # And it is the devices that are told apart by their noise that leave.
    assert array.origins is not None
    leaves = array.origins[array.device_index.long()] == 0
    assert torch.equal((at == 0) | (at == 3), leaves)
    # Rates in between, in one wait or in ten.
    share = []
    for steps in (1, 10):
        array = programmed(uneven(3), COUNT)
        for step in range(steps):
            drift(array, 2.0 / steps, generator=seeded(step))
        share.append(torch.bincount(places(array), minlength=7) / COUNT)
    assert float((share[0] - share[1]).abs().max()) < 5 * math.sqrt(0.25 * 2 / COUNT)


def test_stuck_devices_do_not_move_either() -> None:
    array = programmed(device([[1e3], [1e3]], [[1], [-1]]), faults=Faults(stuck=0.5))
    before = array.weight.clone()
    assert array.stuck is not None
    moved = drift(array, 1.0, generator=seeded(2))
    assert torch.equal(array.weight[array.stuck], before[array.stuck])
    assert moved == pytest.approx(0.25, abs=0.02)


def test_a_network_loses_more_the_longer_and_the_hotter_it_waits() -> None:
    rate = [[1e-6] * 3, [1e-5] * 3, [1e-6] * 3]
    of = device(rate, [[-1] * 3, [1] * 3, [1] * 3])
    plain = nn.Sequential(nn.Conv1d(2, 8, 5), nn.Flatten(), nn.Linear(8 * 6, 40))
    model = convert(plain, of, 0.3, generator=seeded())
    x = torch.randn((200, 2, 10), generator=seeded(1))
    expected = model(x).detach()

    @torch.no_grad()
    def error(seconds: float, temperature: float | None = None) -> float:
        aged = copy.deepcopy(model)
        assert wait(aged, seconds, temperature=temperature, generator=seeded(2)) is aged
        return float((aged(x) - expected).square().mean())

    assert error(0.0) == 0
    assert error(1e4) < error(1e5) < error(1e6)
    assert error(1e4) == error(1e4, HEAT)
    assert error(1e4, 250.0) < error(1e4) < error(1e4, 330.0) < error(1e4, 360.0)
    assert torch.equal(model(x), expected)
    again = [copy.deepcopy(model) for _ in range(2)]
    for chip in again:
        wait(chip, 1e5, generator=seeded(4))
    for (_, a), (_, b) in zip(*(synapse_layers(chip) for chip in again), strict=True):
        assert torch.equal(a.synapses.weight, b.synapses.weight)


def read(probability: list[float], direction: Any, devices: int = 3) -> CharacterisedDevice:
    """Walls that no time moves, and reads do."""
    states = len(probability)
    still = device(
        np.full((states, devices), 1e-30), np.broadcast_to(np.asarray(direction)[:, None], (states, devices))
    )
    data = still.data.assign(read_disturb=("state", np.asarray(probability)))
    return CharacterisedDevice(data)


def test_reads_move_walls_with_the_probability_of_the_file() -> None:
    array = SynapseArray((COUNT,), read([1e-4, 0.0, 0.0], [1.0, 1.0, 1.0]), margin=0.3, generator=seeded())
    array.program(torch.zeros(COUNT, dtype=torch.long), generator=seeded(1))
    before = array.weight.clone()
    moved = disturb(array, 2000, generator=seeded(2))
    expected = 1 - (1 - 1e-4) ** 2000
    assert moved == pytest.approx(expected, abs=5 * math.sqrt(expected * (1 - expected) / COUNT))
    # To the next state, whose own reads do nothing.
    assert torch.equal(torch.bincount(array.state.long()) > 0, torch.tensor([True, True]))
    assert torch.equal(array.weight[array.state == 0], before[array.state == 0])


def test_reads_that_take_longer_disturb_more_and_none_do_nothing() -> None:
    def moved(reads: float, read_time: float | None = None) -> float:
        array = SynapseArray((COUNT,), read([1e-4, 0.0, 0.0], [1.0, 1.0, 1.0]), margin=0.3, generator=seeded())
        array.program(torch.zeros(COUNT, dtype=torch.long), generator=seeded(1))
        return disturb(array, reads, read_time, generator=seeded(2))

    assert moved(0) == 0
    # Ten times as long is ten reads in a row.
    assert moved(200, 1e-8) == moved(2000)


def test_reads_of_devices_without_figures_are_refused() -> None:
    array = SynapseArray((4,), uneven(), margin=0.3, generator=seeded())
    with pytest.raises(InputError, match="no 'read_disturb'"):
        disturb(array, 10)
