from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device.pulses.file import named_pulsed_device
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.training import Training
from barkhausen.experiment.uncertainty import kept_outputs, uncertainty_of_runs
from barkhausen.learning.spiking.encoders import Poisson
from barkhausen.learning.spiking.leaky import LeakyCell
from barkhausen.learning.stdp import PlasticNetwork, Presentation, WallSteps, Window, presentation

compiled = pytest.mark.skipif(presentation.library() is None, reason="the compiled code was not built")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def presented(steps: int = 60) -> Presentation:
    return Presentation(Poisson(steps, 100.0, 1e-3), LeakyCell(0.25, 0.25, 0.5), drive=2.0, inhibition=1.0)


@compiled
@pytest.mark.parametrize("options", [{}, {"reset": "subtract"}, {"reset_to": -0.25}])
def test_the_compiled_layer_is_the_cell_with_inhibition(options: dict[str, Any]) -> None:
    # Inputs that spike at every step or never: what is left are the neurons. All numbers are sums of powers of 2.
    cell = LeakyCell(0.25, 0.25, 0.5, **options)
    layer = Presentation(Poisson(60, 1000.0, 1e-3), cell, drive=2.0, inhibition=1.0)
    inputs, strength = torch.tensor([[1.0, 0.0, 1.0]]), torch.tensor([[[0.25, 1.0, 0.5], [0.5, 1.0, 0.0]]])
    fast, slow = (call(inputs, strength, generator()) for call in (layer._by_library, layer._by_steps))
    assert torch.equal(fast.counts, slow.counts)
    assert fast.first.tolist() == slow.first.tolist() == [[[0, -1, 0]]]
    assert fast.last.tolist() == slow.last.tolist() == [[[59, -1, 59]]]
    assert fast.counts[0, 0, 0] > fast.counts[0, 0, 1] > 0


@compiled
def test_the_compiled_spikes_are_poisson_spikes() -> None:
    layer = presented(steps=100)
    inputs, strength = torch.tensor([[0.2, 0.9, 0.0]]), torch.full((4000, 2, 3), 0.5)
    fast, slow = (call(inputs, strength, generator()) for call in (layer._by_library, layer._by_steps))
    for got, other in zip(fast, slow, strict=True):
        difference = (got.double().mean(dim=0) - other.double().mean(dim=0)).abs()
        error = (got.double().var(dim=0) / 4000 + other.double().var(dim=0) / 4000).sqrt()
        assert bool((difference <= 4.5 * error).all())
    # The first spike comes after a geometric number of steps.
    none = (fast.first[:, 0, 0] < 0).double().mean()
    assert float(none) == pytest.approx(0.98**100, abs=4 * math.sqrt(0.13 * 0.87 / 4000))
    assert float((fast.first[:, 0, 1] == 0).double().mean()) == pytest.approx(0.09, abs=0.02)


def test_the_window_is_exponential_on_both_sides() -> None:
    window = Window(0.02, 0.021, 20e-3)
    found = window.change(torch.tensor([0.0, 20e-3, -20e-3]))
    assert found.tolist() == pytest.approx([0.02, 0.02 / math.e, -0.021 / math.e])
    sizes = window.size(torch.tensor([-1, 1, 40]), 1e-3, rises=False)
    assert sizes.tolist() == pytest.approx([0.0, 0.021 * math.exp(-0.05), 0.021 * math.exp(-2.0)])
    with pytest.raises(InputError, match="time_constant must be positive"):
        Window(time_constant=0.0)


def test_declared_steps_have_the_declared_spread_and_stay_on_the_track() -> None:
    law = WallSteps.declared(0.4)
    walls = law.draw((20_000,), generator())
    meant = torch.full((20_000,), 0.02)
    moved = law.moved(torch.full((20_000,), 0.5), meant, walls, generator(1)) - 0.5
    assert float(moved.mean()) == pytest.approx(0.02, abs=5 * 0.008 / math.sqrt(20_000))
    assert float(moved.std()) == pytest.approx(0.008, rel=0.03)
    assert float(law.moved(torch.full((20_000,), 0.999), meant, walls, generator(1)).max()) == 1.0
    # Written by n = s / p pulses from 0: the variances add up.
    assert float(law.written_spread(torch.tensor([0.5]), 0.02)) == pytest.approx(0.4 * 0.02 * math.sqrt(25), rel=1e-4)


def test_steps_of_a_device_are_those_of_its_file() -> None:
    device = named_pulsed_device("pulses-plain")
    steps = WallSteps.of_device(device)
    plain = steps.without_noise()
    count = 8
    walls = plain.draw((count,), generator())
    strength = torch.linspace(0.0, 1.0, count)
    weight = 2 * strength.double().numpy() - 1
    whole = steps.pulse_change
    assert whole is not None
    for sign in (1, -1):
        moved = plain.moved(strength, torch.full((count,), sign * whole), walls, None)
        expected = (strength + torch.from_numpy(device.step(weight, sign)).float() / 2).clamp(0, 1)
        assert torch.allclose(moved, expected, atol=1e-5)
    # Its noise: relative to the mean step of the middle, whatever the duration of the pulse.
    middle = torch.full((20_000,), 0.5)
    same = plain.draw((20_000,), generator())
    moved = steps.moved(middle, torch.full((20_000,), 0.1 * whole), same, generator(2)) - middle
    assert float(moved.std()) == pytest.approx(0.1 * float(device.step_sd(0.0, 1)) / 2, rel=0.03)
    factors = steps.draw((40_000,), generator(3))
    assert float(factors.up.mean()) == pytest.approx(1.0, abs=0.01)
    assert float(factors.up.std()) == pytest.approx(device.scale_sd[0], rel=0.05)
    assert bool((factors.low < factors.high).all())


def recipe(mode: str = "stdp", **more: Any) -> Any:
    values: dict[str, Any] = {
        "mode": mode,
        "epochs": 1,
        "batch_size": 152,
        "threads": 1,
        "dataset": {"name": "breast-cancer", "options": {"both_signs": True}},
        "rule": {"chips": 4, "noise": "both"},
        "evaluation": {"uncertainty": 8},
        **more,
    }
    return recipe_from(values, "test")


def test_a_teacher_moves_strengths_by_the_window() -> None:
    network = PlasticNetwork(
        2, 2, presented(), Window(), WallSteps.declared(0.0), chips=3, lead=math.inf, generator=generator()
    )
    before = network.strength.clone()
    network.learn(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), generator())
    change = network.strength - before
    assert bool((change[:, 1, 0] > 0).all()) and bool((change[:, 0, 0] < 0).all())
    assert bool((change[:, :, 1] == 0).all())  # an input that never spikes makes no pair
    assert bool((change[:, 1, 0] <= 0.02 * math.exp(-0.05) + 1e-6).all())
    up, down = network.pulses.tolist()
    assert up == pytest.approx(float(change.clamp(min=0).sum()), rel=1e-4)
    assert down == pytest.approx(float(-change.clamp(max=0).sum()), rel=1e-4)
    taught = network.strength.clone()
    network.lead = -math.inf
    network.learn(torch.tensor([[1.0, 0.0]]), torch.tensor([1]), generator())
    assert torch.equal(network.strength, taught)


def test_a_run_learns_resumes_and_is_measured_over_its_chips(tmp_path: Path) -> None:
    summary = Run(recipe(), tmp_path / "a").execute()
    assert summary["test_accuracy"] > 0.8
    assert summary["uncertainty"]["what"] == "passes of 4 chips"
    outputs, _ = kept_outputs(tmp_path / "a")
    assert outputs.shape == (8, 114, 2)
    again = uncertainty_of_runs([tmp_path / "a"], 8).summary()["networks"][str(tmp_path / "a")]
    assert again["figures"] == summary["uncertainty"]["figures"]
    assert summary["rule"]["chip_spread"] > 0

    # Continued from a state, it learns what it would have learnt.
    chosen = recipe()
    straight, resumed = (Training(chosen, chosen.dataset.load(), None) for _ in range(2))
    state = copy.deepcopy(straight.state_dict())
    straight.run_epoch()
    resumed.load_state_dict(state)
    resumed.run_epoch()
    assert torch.equal(straight.model.strength, resumed.model.strength)


def test_energy_is_that_of_the_pulses_of_the_device(tmp_path: Path) -> None:
    device = named_pulsed_device("pulses-plain")
    steps = WallSteps.of_device(device)
    summary = Run(recipe(rule={"device": "pulses-plain"}), tmp_path / "a").execute()
    kept, (up, down) = summary["rule"], device.energy()
    expected = (kept["pulses_up"] * up + kept["pulses_down"] * down) / steps.pulse_change
    assert summary["energy"]["programming_joule"] == pytest.approx(expected)
    assert expected > 0


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"network": {"kind": "mlp", "hidden": [], "normalisation": "none", "options": {}}}, "needs network.kind"),
        ({"rule": {"device": "pulses-plane"}}, "no device moved by pulses"),
        ({"rule": {"device": "pulses-plain", "spread": 0.1}}, "spread belongs to the declared law"),
    ],
)
def test_what_it_cannot_learn_is_refused(more: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        Run(recipe(**more), tmp_path / "a").execute()
