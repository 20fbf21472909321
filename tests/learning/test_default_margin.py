"""The default margin follows the spacing and the spread of the device, for each learning rule on its own."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError, InputWarning
from barkhausen.data import load_dataset
from barkhausen.device import CharacterisedDevice, gaussian_device, preset
from barkhausen.device.resistive.technology import ResistiveParameters, resistive_device
from barkhausen.experiment.recipe import Recipe, build_device, recipe_from
from barkhausen.experiment.training import Training
from barkhausen.learning import InSitu, SynapseLinear, convert, default_margin, synapse_layers
from barkhausen.learning.margin import spacing, spread
from barkhausen.synapse import Phase, WriteVerify


def sixteen() -> CharacterisedDevice:
    """A measured device of 16 evenly spaced conductances with a spread of 2 % of their range."""
    random = np.random.default_rng(1)
    levels = np.linspace(1e-6, 1e-5, 16)[:, None, None]
    unit = 0.02 * 9e-6
    values = (
        levels + 0.6 * unit * random.standard_normal((16, 24, 1)) + 0.8 * unit * random.standard_normal((16, 24, 12))
    )
    return resistive_device(values, ResistiveParameters(conductance_low=0.0, conductance_high=2e-5), source="measured")


@pytest.mark.parametrize(
    ("states", "sigma", "in_situ", "ex_situ"),
    [
        (5, 0.15, 0.4, 0.18),  # 0.8 of the spacing of 0.5; 1.2 times the spread
        (16, 0.04, 0.107, 0.048),  # 0.8 of 2/15
        (16, 0.15, 0.107, 0.107),  # both 0.8 of the spacing: 1.2 times the spread would be more
        (2, 0.15, 0.45, 0.18),  # 3 times the spread: 0.8 of the spacing would be 1.6
        (16, 0.3, 0.2, 0.2),  # no less than two thirds of the spread
        (5, 0.0, 0.1, 0.04),  # a spread that is zero counts as a fifteenth of the spacing
    ],
)
def test_default_in_units_of_the_device(states: int, sigma: float, in_situ: float, ex_situ: float) -> None:
    device = gaussian_device(states, sigma)
    assert spacing(device) == pytest.approx(2 / (states - 1))
    assert spread(device) == pytest.approx(sigma)
    assert default_margin(device) == pytest.approx(in_situ)
    assert default_margin(device, "ex-situ") == pytest.approx(ex_situ)


def test_shipped_devices_with_few_states_keep_about_the_margin_that_they_had() -> None:
    assert default_margin(preset("racetrack-5")) == default_margin(preset("gaussian-5")) == 0.4
    assert 0.35 < default_margin(preset("racetrack-2")) < 0.45


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(InputError, match="mode = 'in-sito': no such learning rule; did you mean 'in-situ'"):
        default_margin(preset("racetrack-5"), "in-sito")


# --- Python calls -------------------------------------------------------------------------------------------


def test_layers_and_conversions_take_it_unless_a_margin_is_given() -> None:
    sixteen_states, five = gaussian_device(16, 0.04), gaussian_device(5)
    layer = SynapseLinear(4, 3, sixteen_states)
    assert layer.synapses.margin == 0.107
    assert SynapseLinear(4, 3, sixteen_states, margin=0.3).synapses.margin == 0.3
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 3), nn.Linear(3, 2))
    overrides = {"1": {"device": five}, "2": {"device": five, "margin": 0.25}}
    converted = convert(model, sixteen_states, overrides=overrides, max_attempts=2)
    assert [part.synapses.margin for part in converted] == [0.107, 0.4, 0.25]
    assert [part.synapses.kind.max_attempts for part in converted] == [2, 2, 2]
    stated = convert(model, sixteen_states, 0.3, overrides={"1": {"device": five}})
    assert [part.synapses.margin for part in stated] == [0.3, 0.3, 0.3]
    assert convert(nn.Linear(4, 3), five, WriteVerify(0.2)).synapses.margin == 0.2


def test_a_margin_over_several_levels_is_warned_of() -> None:
    def learner(margin: float, states: int) -> None:
        model = convert(nn.Linear(4, 3), gaussian_device(states), margin)
        InSitu(torch.optim.Adam(model.parameters()), model)

    with pytest.warns(InputWarning, match=r"margin = 0\.4 spans 7 of the 16 levels .* 0\.133\): .* default is 0\.107"):
        learner(0.4, 16)
    with pytest.warns(InputWarning, match=r"margin = 1 spans 5 of the 5 levels"):
        learner(1.0, 5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for margin, states in ((0.4, 5), (0.6, 5), (0.4, 2), (0.107, 16), (0.2, 16)):
            learner(margin, states)


def test_a_margin_of_zero_is_warned_of_once_and_programs_every_device() -> None:
    noise = torch.Generator().manual_seed(0)
    layers = nn.Sequential(nn.Linear(20, 30), nn.Linear(30, 20))
    model = convert(layers, gaussian_device(5), 0.0, generator=noise)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        learner = InSitu(torch.optim.SGD(model.parameters(), lr=0.0), model, noise)
    (only,) = [str(warning.message) for warning in caught]
    assert only == (
        "margin = 0: no weight is exactly on its level, so every device is programmed at nearly every step; "
        "the default is 0.4"
    )
    # As the warning says, though no latent weight has moved.
    learner.update_devices()
    events = sum(int(layer.synapses.counters.events(Phase.TRAINING).sum()) for _, layer in synapse_layers(model))
    assert events > 0.99 * 1200


# --- recipes ------------------------------------------------------------------------------------------------


def test_a_recipe_takes_it_unless_it_states_a_margin() -> None:
    table = {"states": 16, "device": {"sigma": 0.04}}
    recipe = recipe_from(table, "test")
    assert (recipe.device.margin, recipe.optimizer.latent_rate) == (0.107, 6e-3)
    ex_situ = recipe_from({**table, "mode": "ex-situ"}, "test")
    assert (ex_situ.device.margin, ex_situ.optimizer.latent_rate) == (0.048, 3e-2)
    stated = recipe_from(
        {"states": 16, "device": {"sigma": 0.04, "margin": 0.4}, "optimizer": {"latent_rate": 1.0}}, ""
    )
    assert (stated.device.margin, stated.optimizer.latent_rate) == (0.4, 1.0)
    # The resolved text states it, so that a run keeps it whatever later versions choose.
    assert "margin = 0.107" in recipe.to_toml()
    assert recipe_from(recipe.model_dump(exclude_none=True), "again") == recipe


def test_a_float_recipe_has_the_values_of_before() -> None:
    recipe = recipe_from({"mode": "float"}, "test")
    assert (recipe.device.margin, recipe.optimizer.latent_rate) == (0.4, 6e-3)


def test_sixteen_states_learn_in_situ_with_the_default_and_not_with_that_of_five(one_thread: None) -> None:
    device = sixteen()
    data = load_dataset("digits").with_validation(300).standardised()
    scores = {}
    for margin in (None, 0.4):
        given = {} if margin is None else {"margin": margin}
        recipe = recipe_from(
            {
                "states": 16,
                "epochs": 6,
                "threads": 1,
                "dataset": {"name": "digits"},
                "network": {"hidden": [64]},
                "device": {"sigma": 0.04, **given},
            },
            "test",
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", InputWarning)
            training = Training(Recipe.model_validate(unstated(recipe, margin)), data, device)
        for _ in range(recipe.epochs):
            training.run_epoch()
        scores[training.model.linear1.synapses.margin] = training.held_out_score()
    default = default_margin(device)
    assert default == pytest.approx(0.107, abs=0.002)
    assert scores[default] > scores[0.4] + 0.02


def unstated(recipe: Recipe, margin: float | None) -> dict[str, object]:
    """Content of a recipe without the margin, unless one was stated."""
    values = recipe.model_dump(exclude_none=True)
    if margin is None:
        del values["device"]["margin"]
    return values


def test_the_device_of_a_recipe_decides(tmp_path: object) -> None:
    recipe = recipe_from({"states": 3}, "test")
    assert recipe.device.margin == default_margin(build_device(recipe))
