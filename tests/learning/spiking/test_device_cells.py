"""Cells of neuron files: compiled code against the loop, the law they follow, energies, and learning with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.device import NeuronDevice, write_device
from barkhausen.experiment.network import float_network
from barkhausen.learning.networks import Shapes
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.spiking import DeviceCell, FiringCell, device_cell, kernel, neuron_energy
from made_neurons import neuron


@pytest.mark.parametrize("failed", [0, 30])
def test_compiled_devices_do_what_the_loop_over_steps_does(failed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    if kernel.library() is None:
        pytest.skip("not built")
    inputs = torch.rand(40, 3, 90, generator=torch.Generator().manual_seed(0)) * 1.4 - 0.2
    weights, outcomes = torch.randn(40, 3, 90, generator=torch.Generator().manual_seed(1)), []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(kernel, "library", lambda: None)
        given = inputs.clone().requires_grad_()
        cell = DeviceCell(neuron(failed=failed), decay=0.3)
        spikes, state = cell(given, generator=torch.Generator().manual_seed(2))
        (spikes * weights).sum().backward()
        outcomes.append((spikes.detach(), state.value, given.grad))
    assert outcomes[0][0].sum() > 500
    assert torch.equal(outcomes[0][0], outcomes[1][0])
    for ours, reference in zip(*outcomes, strict=True):
        torch.testing.assert_close(ours, reference, rtol=1e-3, atol=1e-4)


def test_a_cell_steps_as_its_device_does() -> None:
    """Mean and spread of the first step, and the share of resets that fail."""
    cell, inputs = DeviceCell(neuron(spread=3e-9), unit=2e11), torch.full((1, 1, 40_000), 1.0)
    _, values = cell.trace(inputs, generator=torch.Generator().manual_seed(0))
    assert float(values.mean()) == pytest.approx(0.08, abs=4 * 0.03 / 200)
    assert float(values.std()) == pytest.approx(0.03, rel=0.02)
    state = cell.rest(inputs[0])._replace(value=torch.full((1, 40_000), 1.2))
    failing = DeviceCell(neuron(failed=20), unit=2e11)
    spikes, after = failing(inputs, state, torch.Generator().manual_seed(1))
    assert bool(spikes.all())
    assert float((after.value > 0.5).double().mean()) == pytest.approx(0.2, abs=4 * 0.002)


def test_energies_are_counted_by_operation() -> None:
    """Two steps of two neurons: by hand."""
    cell = DeviceCell(neuron())
    inputs = torch.tensor([[[1.0, 0.5]], [[-1.0, 0.0]]])
    spikes = torch.tensor([[[0.0, 1.0]], [[0.0, 0.0]]])
    energy = cell.energy(inputs, spikes)
    assert energy == pytest.approx({"pulse": 2e-15 * 1.25, "read": 4e-16, "reset": 5e-15})


def test_a_neuron_without_memory_fires_with_its_probability() -> None:
    """Shares within four standard deviations; the gradient is the slope of the curve."""
    made = NeuronDevice.from_probability(
        np.array([0.0, 1.0, 2.0]), np.array([0.1, 0.3, 0.9]), source="measured", drive=("voltage", "V", "made up")
    )
    cell = device_cell(made, 0.5)
    assert isinstance(cell, FiringCell)
    inputs = torch.tensor([-2.0, 1.0, 9.0]).expand(20_000, 1, 3).clone().requires_grad_()
    spikes, _ = cell(inputs, generator=torch.Generator().manual_seed(0))
    for share, chance in zip(spikes.mean(0)[0].tolist(), [0.1, 0.6, 0.9], strict=True):
        assert abs(share - chance) < 4 * (chance * (1 - chance) / 20_000) ** 0.5
    spikes.sum().backward()
    assert inputs.grad is not None
    torch.testing.assert_close(inputs.grad[0, 0], torch.tensor([0.0, 0.3, 0.0]))
    with pytest.raises(InputError, match="law 'probability'"):
        DeviceCell(made)


def test_a_network_of_neuron_devices(tmp_path: Path) -> None:
    """By recipe from a file; another file of that name is refused; energies by layer."""
    path = tmp_path / "neuron.nc"
    write_device(neuron(), path)
    options = {"steps": 10, "cell": "device", "cell_options": {"device": str(path)}, "scale": 0.4}
    recipe = NetworkRecipe(kind="spiking", hidden=[12], normalisation="none", options=options)
    shapes = Shapes("digits", 64, 10, (8, 8), samples=100)
    model = float_network(recipe, shapes, torch.Generator().manual_seed(0))
    assert model(torch.rand(5, 64)).shape == (5, 10)
    energy = neuron_energy(model, torch.rand(5, 64))
    assert energy["cell1"]["read"] == pytest.approx(10 * 12 * 1e-16)
    assert energy["cell1"]["pulse"] > 0
    write_device(neuron(spread=1e-9), path)
    with pytest.raises(InputError, match="is not the file that the digest names"):
        NetworkRecipe(**recipe.model_dump())
