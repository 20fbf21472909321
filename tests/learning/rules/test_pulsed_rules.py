"""Rules on devices moved by pulses: what they ask for, what they leave alone, resumption, and whole runs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice, gaussian_device
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.trained import load_trained
from barkhausen.learning import (
    BlindPulse,
    InSitu,
    MixedPrecision,
    PulsedInSitu,
    PulsedLearner,
    PulsedSGD,
    TikiTaka,
    convert,
    synapse_layers,
)
from barkhausen.synapse import Phase

pytestmark = pytest.mark.usefixtures("one_thread")

DEVICE = PulsedDevice.soft_bounds(2 / 64, scale_sd=(0.1, 0.1))
LEARNERS: dict[str, type[PulsedLearner]] = {
    "pulsed-sgd": PulsedSGD,
    "mixed-precision": MixedPrecision,
    "blind-pulse": BlindPulse,
    "pulsed-in-situ": PulsedInSitu,
    "tiki-taka": TikiTaka,
}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(device: Any = DEVICE) -> nn.Module:
    torch.manual_seed(0)
    return convert(nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4)), device, generator=seeded())


def train(model: nn.Module, learner: PulsedLearner, steps: int, seed: int = 0) -> None:
    generator = seeded(seed)
    for _ in range(steps):
        x = torch.randn((32, 8), generator=generator)
        F.cross_entropy(model(x), x[:, :4].argmax(dim=1)).backward()
        learner.step()
        learner.zero_grad()


CELLS: dict[str, dict[str, Any]] = {
    "pair": {"layout": "pair"},
    "one-sided": {"layout": "one-sided", "upkeep_every": 7},
    "places": {"layout": "places", "place_values": [1.0, 0.2], "upkeep_every": 7, "threshold": 0.5},
}


def fresh(name: str, device: PulsedDevice = DEVICE) -> tuple[nn.Module, PulsedLearner, torch.Generator]:
    model, noise = network(device), seeded(3)
    return model, LEARNERS[name](torch.optim.SGD(model.parameters(), lr=0.3, momentum=0.5), model, noise), noise


def pulses(model: nn.Module) -> int:
    return sum(int(layer.synapses.counters.events(Phase.TRAINING).sum()) for _, layer in synapse_layers(model))


@pytest.mark.parametrize(
    ("name", "cell"),
    [*((name, None) for name in LEARNERS), *(("pulsed-sgd", cell) for cell in CELLS), ("blind-pulse", "places")],
)
def test_it_learns_and_resumes_exactly(name: str, cell: str | None) -> None:
    device = DEVICE if cell is None else DEVICE.in_cells(**CELLS[cell])
    model, learner, noise = fresh(name, device)
    train(model, learner, 60, seed=1)
    saved = copy.deepcopy((model.state_dict(), learner.state_dict(), noise.get_state()))
    train(model, learner, 60, seed=2)
    other, again, stream = fresh(name, device)
    other.load_state_dict(saved[0])
    again.load_state_dict(saved[1])
    stream.set_state(saved[2])
    train(other, again, 60, seed=2)
    for key, value in model.state_dict().items():
        assert torch.equal(value, other.state_dict()[key]), key
    x = torch.randn((500, 8), generator=seeded(7))
    assert float((model(x).argmax(1) == x[:, :4].argmax(1)).float().mean()) > 0.6
    assert pulses(model) > 100
    if cell in ("one-sided", "places"):
        assert sum(int(layer.synapses.counters.upkeep_pulses.sum()) for _, layer in synapse_layers(model)) > 0


@pytest.mark.parametrize("name", LEARNERS)
def test_a_layer_that_does_not_learn_gets_no_pulse(name: str) -> None:
    model, learner, _ = fresh(name)
    for parameter in model[2].parameters():
        parameter.requires_grad_(False)
    before = model[2].synapses.weight.clone()
    train(model, learner, 20)
    assert torch.equal(model[2].synapses.weight, before)
    assert int(model[0].synapses.counters.events(Phase.TRAINING).sum()) > 0


def ask(learner: PulsedLearner, layer: Any, change: float) -> None:
    layer.latent_weight.grad = torch.full_like(layer.latent_weight, -change)
    learner.step()


def test_pulsed_sgd_asks_for_the_mean_change_of_the_update() -> None:
    device = PulsedDevice.linear(2 / 50, cycle_sd=0.0)
    model = convert(nn.Sequential(nn.Linear(100, 100, bias=False)), device, start="fresh", generator=seeded())
    learner, layer = PulsedSGD(torch.optim.SGD(model.parameters(), lr=1.0), model, seeded(1)), model[0]
    before = layer.synapses.weight.clone()
    for _ in range(10):
        ask(learner, layer, 0.01)
    moved = layer.synapses.weight - before
    # A quarter of a pulse at each step.
    assert float(moved.mean()) == pytest.approx(0.1, abs=5 * 0.04 * (10 * 0.1875) ** 0.5 / 100)
    assert torch.equal(layer.latent_weight, layer.synapses.weight)
    assert int(layer.synapses.counters.pulses[Phase.TRAINING, 1]) == 0


def test_mixed_precision_keeps_the_rest_and_a_blind_pulse_does_not() -> None:
    device = PulsedDevice.linear(2 / 50, cycle_sd=0.0)
    counts = {}
    for kind in (MixedPrecision, BlindPulse):
        model = convert(nn.Sequential(nn.Linear(10, 10, bias=False)), device, start="fresh", generator=seeded())
        with torch.no_grad():
            model[0].latent_weight.mul_(0.5)
        learner = kind(torch.optim.SGD(model.parameters(), lr=1.0), model, seeded(1), quantum=0.04)
        for _ in range(6):
            ask(learner, model[0], 0.03)
        counts[kind] = int(model[0].synapses.counters.events(Phase.TRAINING).sum())
    # 0.18 in all are four quanta; a blind pulse forgets what it did not use.
    assert counts == {MixedPrecision: 400, BlindPulse: 300}


def test_devices_of_the_other_kind_are_refused() -> None:
    model = network(gaussian_device(5))
    with pytest.raises(InputError, match="PulsedSGD: works on devices moved by pulses"):
        PulsedSGD(torch.optim.SGD(model.parameters(), lr=0.1), model)
    model = network()
    with pytest.raises(InputError, match="InSitu: works on devices that are reset and programmed to states"):
        InSitu(torch.optim.SGD(model.parameters(), lr=0.1), model)
    with pytest.raises(InputError, match=r"most = 0: must be a whole number of pulses, 1 or more"):
        PulsedSGD(torch.optim.SGD(model.parameters(), lr=0.1), model, most=0)


def test_a_recipe_names_the_cells_and_its_run_bills_their_refresh(tmp_path: Path) -> None:
    cell = {"layout": "one-sided", "upkeep_every": 2, "threshold": 0.3}
    given = {
        "mode": "pulsed-sgd",
        "threads": 1,
        "epochs": 1,
        "dataset": {"name": "digits"},
        "network": {"hidden": [16]},
    }
    device = {"pulsed": "soft-bounds-40", "pulse_energy": 1e-13, "cell": cell}
    summary = Run(
        recipe_from({**given, "device": device, "transfer": {"chips": 1}}, "test"), tmp_path / "run"
    ).execute()
    upkeep = summary["programming"]["upkeep"]
    assert upkeep["pulses"] > 0
    assert summary["energy"]["by_cause"]["upkeep"] > 1e-13 * upkeep["pulses"]
    assert summary["account"]["learning"]["reads"] == upkeep["reads"] / summary["steps"]
    assert any("refresh of devices beyond 0.3 of their range, every 2 steps (recipe)" in x for x in summary["assumed"])
    assert "[device.cell]" in (tmp_path / "run" / "recipe.toml").read_text()
    with pytest.raises(InputError, match=r"device.cell.layout = 'one-sided': mode = 'in-situ' has no devices that"):
        recipe_from({**given, "mode": "in-situ", "device": {"cell": cell}}, "test")
    with pytest.raises(InputError, match="these synapses have several"):
        Run(recipe_from({**given, "mode": "tiki-taka", "device": device}, "test"), tmp_path / "other").execute()


@pytest.mark.parametrize("mode", ["pulsed-sgd", "blind-pulse"])
def test_a_run_is_resumed_and_loaded_again(tmp_path: Path, mode: str) -> None:
    recipe = recipe_from(
        {
            "mode": mode,
            "threads": 1,
            "epochs": 2,
            "dataset": {"name": "digits"},
            "network": {"hidden": [16]},
            "device": {"pulsed": "soft-bounds-40"},
            "transfer": {"chips": 1},
        },
        "test",
    )
    whole = Run(recipe, tmp_path / "whole").execute()
    Run(recipe.model_copy(update={"epochs": 1}), tmp_path / "parts").execute()
    short = Run(recipe, tmp_path / "parts", lengthen=True)
    assert whole["states"] == 40
    assert whole["device"]["pulsed"] == "soft-bounds-40"
    assert whole["programming"]["training_events"] > 0
    if mode == "pulsed-sgd":
        # The schedule of the rate depends on the number of epochs.
        assert short.execute()["epochs"] == 2
    trained = load_trained(tmp_path / "whole").model
    assert sum(1 for _ in synapse_layers(trained)) == 2
