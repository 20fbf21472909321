"""The account of energy of each rule by pulses: what it reads, writes and stores, by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import PulsedDevice
from barkhausen.experiment.energy.load import learning_load
from barkhausen.experiment.energy.of_run import RunAccounts
from barkhausen.experiment.recipe import Recipe, recipe_from
from barkhausen.experiment.run import Run
from barkhausen.learning import BlindPulse, MixedPrecision, PulsedInSitu, PulsedSGD, TikiTaka, convert, synapse_layers
from barkhausen.learning.selection import only_learn
from barkhausen.synapse import Phase
from barkhausen.synapse.crossbar import load_chip
from barkhausen.synapse.crossbar.costs import training_costs
from barkhausen.synapse.crossbar.layer_load import LayerLoad
from barkhausen.synapse.crossbar.learning_costs import learning_energy
from barkhausen.synapse.crossbar.learning_load import LearningLoad

pytestmark = pytest.mark.usefixtures("one_thread")

STEPS = 5
SYNAPSES, OUTPUTS = 8 * 6 + 6 * 4, 6 + 4
LAYERS = [
    LayerLoad(outputs=size, inputs=inputs, mean_conductance=1e-5, mean_square_voltage=4e-3, largest_voltage=0.1)
    for size, inputs in ((6, 8), (4, 6))
]


def recipe(mode: str, **more: Any) -> Recipe:
    small = {"dataset": {"name": "digits"}, "network": {"hidden": [16]}, "transfer": {"chips": 1}, "threads": 1}
    return recipe_from({"mode": mode, **small, **more}, "test")


def trained(kind: Any, learn: list[str] | None = None, **options: Any) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    device = PulsedDevice.soft_bounds(2 / 40)
    model = convert(nn.Sequential(nn.Linear(8, 6), nn.ReLU(), nn.Linear(6, 4)), device, generator=generator, margin=0.1)
    if learn is not None:
        only_learn(model, learn)
    learner = kind(torch.optim.SGD(model.parameters(), lr=0.5), model, generator, **options)
    for _ in range(STEPS):
        x = torch.randn((20, 8), generator=generator)
        nn.functional.cross_entropy(model(x), x[:, :4].argmax(dim=1)).backward()
        learner.step()
        learner.zero_grad()
    return model


def counted(model: nn.Module, what: str) -> int:
    return sum(int(getattr(layer.synapses.counters, what)[Phase.TRAINING].sum()) for _, layer in synapse_layers(model))


def test_pulsed_sgd_stores_nothing_and_reads_nothing() -> None:
    load = learning_load(trained(PulsedSGD), recipe("pulsed-sgd"), STEPS)
    assert (load.latent_bits, load.optimiser_states) == (0, 0)
    assert (load.reads, load.verifications, load.copy_bits, load.comparisons) == (0, 0, 0, 0)
    chip = load_chip()
    found = learning_energy(chip, LAYERS, 100, load)
    assert found["latent weights"] == found["optimiser memory"] == found["monitoring"] == found["verify"] == 0
    # The product with the rate and the random number of the rounding.
    assert found["update"] == pytest.approx(SYNAPSES * (chip.multiply_add + chip.integer_add / 2), rel=1e-9, abs=0)
    costs = training_costs(chip, LAYERS, batch=100, learning=load)
    assert costs.area["gradient memory"] == costs.energy["leakage"] == 0
    # Logic has no devices that could be its weights.
    assert costs.int8["latent weights"] > 0


@pytest.mark.parametrize(("mode", "kind"), [("mixed-precision", MixedPrecision), ("blind-pulse", BlindPulse)])
def test_accumulating_rules_store_a_latent_weight_and_its_mark(mode: str, kind: Any) -> None:
    model = trained(kind, quantum=0.02)
    load = learning_load(model, recipe(mode, rule={"bits": 12}), STEPS)
    pulses = counted(model, "pulses")
    assert pulses > 0
    assert (load.latent_bits, load.reads, load.verifications, load.comparisons) == (12, 0, 0, 1)
    assert load.copy_bits == pytest.approx(12 * (SYNAPSES + pulses / STEPS))


def test_write_verify_by_pulses_reads_every_device_and_stores_whole_latent_weights() -> None:
    model = trained(PulsedInSitu, rounds=3)
    load = learning_load(model, recipe("pulsed-in-situ"), STEPS)
    assert counted(model, "reads") > 0
    assert (load.latent_bits, load.reads) == (None, SYNAPSES)
    assert load.verifications == pytest.approx(counted(model, "reads") / STEPS)


def test_tiki_taka_reads_a_column_and_writes_a_word_of_the_filter_for_each_output() -> None:
    load = learning_load(trained(TikiTaka, transfer_every=2), recipe("tiki-taka", rule={"transfer_every": 2}), STEPS)
    assert (load.latent_bits, load.second_arrays, load.verifications) == (0, 1, 0)
    assert load.reads == pytest.approx(OUTPUTS / 2)
    assert load.copy_bits == pytest.approx(2 * 16 * OUTPUTS / 2)
    assert load.comparisons == pytest.approx(OUTPUTS / 2 / SYNAPSES)
    chip = load_chip()
    one, two = (training_costs(chip, LAYERS, batch=100, learning=each).area for each in (LearningLoad(), load))
    assert two["devices"] == 2 * one["devices"]
    assert two["ADC"] == one["ADC"]


def test_layers_that_do_not_learn_take_part_in_the_forward_pass_alone() -> None:
    model = trained(PulsedInSitu, ["last"], rounds=2)
    assert learning_load(model, recipe("pulsed-in-situ"), STEPS).reads == 6 * 4
    chip = load_chip()
    first, last = LAYERS
    still = LayerLoad(**{**vars(first), "learnt": False})
    found, whole = (training_costs(chip, layers, batch=10) for layers in ([still, last], [first, last]))
    assert found.area["gradient memory"] == pytest.approx(whole.area["gradient memory"] * 24 / SYNAPSES)
    assert found.energy["latent weights"] == pytest.approx(whole.energy["latent weights"] * 24 / SYNAPSES)
    # No error passes back from the last layer.
    assert found.energy["buffer"] < whole.energy["buffer"]
    assert found.baseline["multiply-add"] == pytest.approx(whole.baseline["multiply-add"] * SYNAPSES / (SYNAPSES + 24))


def test_the_second_array_of_tiki_taka_is_in_the_summary_and_in_the_account(tmp_path: Path) -> None:
    given = recipe("tiki-taka", epochs=1, device={"pulsed": "soft-bounds-40", "pulse_energy": 1e-13})
    summary = Run(given, tmp_path / "run").execute()
    second = summary["programming"]["second_arrays"]
    assert second["synapses"] == 64 * 16 + 16 * 10
    # From the lower bound to the middle by steps of 0.05 (1 - w): ln 2 / 0.05 pulses, of each device and its reference.
    assert second["initial"]["pulses"] == 2 * second["synapses"] * round(math.log(2) / 0.05)
    training = second["training"]["by_cause"]["write, second array"]
    assert training == pytest.approx(1e-13 * second["training"]["pulses"])
    by_cause = summary["energy"]["by_cause"]
    assert by_cause["write, second array"] == pytest.approx(training + 1e-13 * second["initial"]["pulses"])
    account = summary["account"]
    assert account["step"]["write, second array"] == pytest.approx(training / summary["steps"])
    assert account["step"]["latent weights"] == 0
    anew = RunAccounts(tmp_path / "run").on(load_chip()).account.summary()
    for part in ("step", "initial", "inference", "int8_step"):
        assert anew[part] == pytest.approx(account[part], rel=1e-9, abs=1e-30), part
    metrics = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert metrics[-1]["programming_joule"] == pytest.approx(summary["energy"]["programming_joule"])
    # An account of a version that took every rule to keep latent weights is computed anew.
    account["learning"] = {name: x for name, x in account["learning"].items() if name != "second_arrays"}
    account["learning"]["latent_bits"] = None
    (tmp_path / "run" / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    assert RunAccounts(tmp_path / "run").learning.latent_bits == 0


def test_bits_of_latent_weights_are_refused_where_there_are_none() -> None:
    with pytest.raises(InputError, match=r"latent_bits = 8: mode = 'pulsed-sgd' keeps no latent weights"):
        recipe("pulsed-sgd", precision={"latent_bits": 8})
