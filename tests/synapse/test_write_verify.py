from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import barkhausen.learning
import barkhausen.synapse
import barkhausen.synapse.faults
from barkhausen.core.errors import InputError
from barkhausen.core.renamed import PYTHON_NAMES
from barkhausen.device import gaussian_device
from barkhausen.learning import SynapseConv2d, SynapseLinear, convert, default_margin
from barkhausen.synapse import Faults, Phase, SynapseArray, WriteVerify


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"margin": -0.1}, r"^margin = -0.1: must be a number, zero or positive$"),
        ({"margin": float("nan")}, "^margin = nan: must be a number"),
        ({"margin": True}, "^margin = True: must be a number"),
        ({"margin": "0.3"}, "^margin = '0.3': must be a number"),
        ({"max_attempts": 3}, "^margin: is missing"),
        ({"margin": 0.1, "max_attempts": 0}, "^max_attempts = 0: must be a whole number, 1 or more$"),
        ({"margin": 0.1, "max_attempts": 1.5}, "^max_attempts = 1.5: must be a whole number"),
        ({"margin": 0.1, "faults": 0.2}, "^faults = 0.2: must be a barkhausen.synapse.Faults$"),
        ({"margin": 0.1, "count_writes": 1}, "^count_writes = 1: must be true or false$"),
        ({"write": WriteVerify(0.1), "margin": 0.1}, "^margin: is part of write; give one of them$"),
        ({"write": 0.1}, "^write = 0.1: must be a WriteVerify"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        WriteVerify.given(**settings)


def test_numbers_of_numpy_are_numbers() -> None:
    whole = WriteVerify(np.float32(0.5), np.int64(2))  # type: ignore[arg-type]
    assert whole == WriteVerify(0.5, 2)
    device = gaussian_device(2)
    arrays = [SynapseArray((3,), device, write, generator=torch.Generator()) for write in (whole, WriteVerify(0.5, 2))]
    assert torch.equal(arrays[0].weight, arrays[1].weight)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"write": WriteVerify(0.1), "margin": 0.2}, "margin: is part of write"),
        ({"write": 0.1}, "write = 0.1: must be a WriteVerify"),
        (0.1, "0.1: must be a dictionary"),
    ],
)
def test_wrong_overrides_are_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=rf"^overrides\['0'\]: {message}"):
        convert(torch.nn.Sequential(torch.nn.Linear(3, 2)), gaussian_device(3), 0.3, overrides={"0": values})


def test_an_unknown_setting_is_an_unexpected_argument() -> None:
    with pytest.raises(TypeError, match="'max_attempt'; did you mean 'max_attempts'"):
        SynapseLinear(2, 2, gaussian_device(2), margin=0.1, max_attempt=3)  # type: ignore[call-arg]


def test_object_and_keyword_arguments_are_the_same() -> None:
    whole = WriteVerify(0.2, 3, Faults(stuck=0.5), count_writes=True)
    settings: Any = {"margin": 0.2, "max_attempts": 3, "faults": Faults(stuck=0.5), "count_writes": True}
    assert WriteVerify.given(**settings) == WriteVerify.given(whole) == whole
    assert whole.changed(margin=0.1) == WriteVerify(0.1, 3, Faults(stuck=0.5), count_writes=True)
    device = gaussian_device(3)
    for kind, shape in ((SynapseLinear, (4, 3)), (SynapseConv2d, (4, 3, 2))):
        one: Any = kind(*shape, device, whole, generator=torch.Generator().manual_seed(0))
        other: Any = kind(*shape, device, **settings, generator=torch.Generator().manual_seed(0))
        assert one.synapses.kind.write == other.synapses.kind.write == whole
        assert torch.equal(one.synapses.weight, other.synapses.weight)
        assert torch.equal(one.latent_weight, other.latent_weight)
    assert SynapseArray((2,), device, whole).kind.write == whole


def test_convert_takes_the_object_in_place_of_the_margin() -> None:
    whole = WriteVerify(0.2, 3, count_writes=True)
    model = convert(torch.nn.Sequential(torch.nn.Linear(3, 2)), gaussian_device(3), whole)
    assert model[0].synapses.kind.write == whole  # type: ignore[index]
    overridden = convert(
        torch.nn.Sequential(torch.nn.Linear(3, 2)), gaussian_device(3), whole, overrides={"0": {"max_attempts": 1}}
    )
    assert overridden[0].synapses.kind.write == WriteVerify(0.2, 1, count_writes=True)  # type: ignore[index]
    with_default = convert(torch.nn.Linear(3, 2), gaussian_device(3), max_attempts=2)
    assert with_default.synapses.kind.write == WriteVerify(default_margin(gaussian_device(3)), 2)


@pytest.mark.parametrize("module", [barkhausen.synapse, barkhausen.synapse.faults, barkhausen.learning])
def test_names_of_version_0_1_0_are_found_with_a_warning(module: Any) -> None:
    for old, new in PYTHON_NAMES[module.__name__].items():
        with pytest.deprecated_call(match=f"{old} is now .*{new}"):
            assert getattr(module, old) is getattr(module, new)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        module.Nothing  # noqa: B018


def test_the_latent_weight_is_still_found_as_memory() -> None:
    latent: Any = torch.tensor([[0.5, -0.5]])
    with pytest.deprecated_call(match="memory is now latent_weight"):
        layer = SynapseLinear(2, 1, gaussian_device(3), margin=0.1, memory=latent)  # type: ignore[call-arg]
    with pytest.deprecated_call(match="memory of a layer"):
        assert torch.equal(layer.memory, latent)
    state = layer.state_dict()
    state["memory"] = state.pop("latent_weight") + 0.25
    with pytest.deprecated_call(match="memory in a saved state"):
        layer.load_state_dict(state)
    assert layer.latent_weight.tolist() == [[0.75, -0.25]]


# --- margins and noise at their limits ----------------------------------------------------------------------


@pytest.mark.parametrize("margin", [0.0, 1e-6])
def test_a_margin_that_no_attempt_meets_costs_every_attempt_and_counts_as_failed(margin: float) -> None:
    generator = torch.Generator().manual_seed(0)
    array = SynapseArray((5, 200), gaussian_device(5), WriteVerify(margin, 5), generator=generator)
    target = torch.arange(5).repeat_interleave(200).view(5, 200)
    array.program(target, generator=generator)
    attempts, failed = array.counters.attempts[Phase.TRAINING], array.counters.failed[Phase.TRAINING]
    # 200 devices in each state, each attempted five times and no more.
    assert attempts.tolist() == [[200] * 5] * 5
    assert failed.tolist() == [200] * 5
    assert torch.equal(array.state.long(), target)


def test_stuck_devices_of_any_number_of_states_keep_their_state_and_others_take_theirs() -> None:
    for states in (2, 3, 5, 16):
        generator = torch.Generator().manual_seed(states)
        device = gaussian_device(states, 0.0)
        array = SynapseArray((4000,), device, WriteVerify(0.01, 3, Faults(stuck=0.2)), generator=generator)
        assert array.stuck is not None
        before, stuck = array.weight.clone(), array.stuck
        target = torch.randint(states, (4000,), generator=generator)
        array.program(target, generator=generator)
        assert torch.equal(array.weight[stuck], before[stuck])
        torch.testing.assert_close(array.weight[~stuck], array.levels[target[~stuck]], atol=1e-6, rtol=0)
        assert float(stuck.float().mean()) == pytest.approx(0.2, abs=4 * (0.16 / 4000) ** 0.5)
        # A stuck device fails unless it rests in its target state by chance.
        wrong = stuck & ((before - array.levels[target]).abs() > 0.01)
        assert int(array.counters.failed.sum()) == int(wrong.sum())


def test_with_every_other_option_off_only_the_noise_of_programming_is_left() -> None:
    generator = torch.Generator().manual_seed(0)
    device = gaussian_device(5, sigma_device=0.0, sigma_cycle=0.1)
    array = SynapseArray((50_000,), device, WriteVerify(float("inf")), generator=generator)
    target = torch.arange(50_000) % 5
    errors = []
    for _ in range(2):
        array.program(target, generator=generator)
        errors.append(array.weight - array.levels[target])
    for state in range(5):
        own = errors[0][target == state].double()
        # 10 000 draws: five standard errors of mean and standard deviation.
        assert abs(float(own.mean())) < 5 * 0.1 / 100
        assert float(own.std()) == pytest.approx(0.1, abs=5 * 0.1 / 141)
    # Drawn anew by each programming, and by nothing else.
    assert abs(float(torch.corrcoef(torch.stack(errors))[0, 1])) < 0.02
    held = array.weight.clone()
    array.program(target, torch.zeros(50_000, dtype=torch.bool), generator)
    assert torch.equal(array.weight, held)


def test_a_noisy_verify_read_accepts_and_refuses_as_its_normal_error_says() -> None:
    # Devices without spread on levels exactly at the margin's centre: whatever is refused is the error of the read.
    noise, margin, count = 0.2, 0.3, 40_000
    array = SynapseArray(
        (count,), gaussian_device(2, 1e-9), margin=margin, max_attempts=3, verify_noise=noise, generator=_seeded(1)
    )
    array.program(torch.ones(count, dtype=torch.int64), generator=_seeded(2))
    refused = math.erfc(margin / noise / math.sqrt(2))
    attempts = array.counters.attempts[Phase.TRAINING].sum(0)
    for number in (1, 2):
        expected = count * refused**number
        assert abs(int(attempts[number]) - expected) < 5 * math.sqrt(expected)


def test_an_exact_verify_read_draws_no_more_numbers() -> None:
    streams = [_seeded(3), _seeded(3)]
    for generator, settings in zip(streams, ({}, {"verify_noise": 0.0}), strict=True):
        array = SynapseArray((50,), gaussian_device(3), margin=0.1, max_attempts=4, generator=generator, **settings)
        array.program(torch.zeros(50, dtype=torch.int64), generator=generator)
    assert torch.equal(streams[0].get_state(), streams[1].get_state())


@pytest.mark.parametrize("noise", [-0.1, math.nan, math.inf, True, "much"])
def test_wrong_verify_noise_is_refused(noise: object) -> None:
    with pytest.raises(InputError, match=r"verify_noise = .*: must be a number, zero or positive"):
        WriteVerify(0.3, verify_noise=noise)  # type: ignore[arg-type]


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
