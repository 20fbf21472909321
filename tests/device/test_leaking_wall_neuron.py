"""The neuron whose wall leaks down a gradient of Ku: its leak against the one-dimensional model, and its cycle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from barkhausen import micromagnetics as mm
from barkhausen.core.config import read_toml
from barkhausen.core.errors import InputError
from barkhausen.device import any_named_device, device_of_kind
from barkhausen.device.domain_wall.neuron import NeuronParameters, characterise, leak_of, parameters_from
from barkhausen.device.technology import SHIPPED

NAME = "neuron-leaking-wall"


def parameters(*settings: str) -> NeuronParameters:
    return parameters_from(read_toml(SHIPPED / f"{NAME}.toml"), list(settings), NAME)


def test_leak_by_hand() -> None:
    """Keff = 1.3e6 − 0.95 × 0.6283e6 J/m³ at 100 nm, so Delta = 3.771 nm and B = Delta (dKu/dx)/Ms = 3.771 mT."""
    found = leak_of(parameters(), np.array([100e-9]))
    delta = math.sqrt(1e-11 / (1.3e6 - 0.95 * 0.2e6 * math.pi))
    assert found.velocity[0] == pytest.approx(-1.760859e11 * delta / 0.02 * delta * 1e12 / 1e6, rel=1e-4)
    walker = 0.02 * math.pi / 2 * 0.6e-3 / (1e6 * delta)
    assert found.walker_share[0] == pytest.approx(delta * 1e6 / walker)
    assert found.rise_time[0] == pytest.approx(1.0004 / (1.760859e11 * walker), rel=1e-4)
    # A taper alone pushes with sigma (dw/dx)/w, a slope of Ku to the other side turns the leak round.
    tapered = leak_of(parameters("shape.anisotropy_gradient=0", "shape.taper=0.5"), np.array([0.0]))
    keff = 1.2e6 - 0.95 * 0.2e6 * math.pi
    sigma = 4 * math.sqrt(1e-11 * keff) - math.pi * 0.6e-3
    expected = -1.760859e11 * math.sqrt(1e-11 / keff) / 0.02 * sigma * 0.5 / 256e-9 / 2e6
    assert tapered.velocity[0] == pytest.approx(expected, rel=1e-4)
    assert leak_of(parameters("shape.anisotropy_gradient=-1e12"), np.array([100e-9])).velocity[0] > 0


def test_a_simulated_wall_leaks_as_fast_as_the_model_says() -> None:
    """At 0 K with a damping of 0.1, once it has turned; the wall of a thin film is narrower than the model's."""
    made = parameters("material.damping=0.1", "track.length=112e-9", "track.width=16e-9", "neuron.threshold=84e-9")
    film = made.film_at(300.0, devices=1)
    run = mm.Simulation(film, integrator="splitting", initial=mm.domain_wall(film, torch.tensor([84e-9])), threads=1)
    run.advance(0.6e-9)
    places = []
    for _ in range(2):
        seen = run.advance(0.2e-9, observe=[mm.WallPosition()])
        places.append(float(seen.wall_position.values.ravel()[-1]))
    velocity = (places[1] - places[0]) / 0.2e-9
    model = leak_of(made, np.array([np.mean(places)])).velocity[0]
    assert 0.75 < velocity / model < 1.0


def test_it_integrates_leaks_fires_and_is_reset() -> None:
    """A short track at 0 K, one wall for each drive."""
    made = characterise(
        parameters(
            "track.length=96e-9", "track.width=8e-9", "neuron.threshold=80e-9", "neuron.start=52e-9",
            "neuron.values=[1e11,3e11]", "neuron.pulses=2", "neuron.reset_periods=1", "characterisation.cycles=1",
            "characterisation.temperature=0", "material.constants_at=0",
        ),
        threads=1,
    )  # fmt: skip
    assert made.tables.mean[0, -1] < 0 < made.tables.mean[2, 0]
    assert made.data["fired_at"].values[2].min() > 0
    assert made.cycles is not None and made.cycles.failed == 0
    assert set(made.energies) == {"pulse", "read", "reset"}


@pytest.mark.parametrize("name", [NAME, "neuron-saf-leaky"])
def test_a_device_with_parameters_alone_says_how_it_is_made(name: str) -> None:
    for look_up in (lambda: device_of_kind(name, "neuron"), lambda: any_named_device(name)):
        with pytest.raises(InputError, match=rf"then `barkhausen characterize {name}.toml --out {name}.nc`"):
            look_up()
