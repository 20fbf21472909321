"""Spikes and energies of neurons: of a cell by hand, of a run in its summary, tables and page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from barkhausen.device import NeuronDevice, write_device
from barkhausen.device.neuron import Joules
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.experiment.work.rows import training_row
from barkhausen.learning.spiking import DeviceCell, FiringCell, counted_neurons
from barkhausen.report.runs.page import write_report
from barkhausen.results.table import markdown_table, result_table
from made_neurons import neuron

ENERGIES = {"pulse": Joules("pulse", 4e-15, 2.0, "pulse"), "read": Joules("read", 1e-16, 0.0, "read")}


def test_what_each_energy_of_a_neuron_is_for() -> None:
    """Two steps of two neurons: two pulses, one at half the drive, two steps of leak, one spike."""
    cell = DeviceCell(neuron())
    done = cell.operations(torch.tensor([[[1.0, 0.5]], [[-1.0, 0.0]]]), torch.tensor([[[0.0, 1.0]], [[0.0, 0.0]]]))
    assert done.numbers == {"integrate": 2, "leak": 2, "reset": 1, "read": 4}
    energies = cell.device.energies
    spent = done.by_purpose(done.energy(energies), energies)
    assert spent == pytest.approx({"integrate": 2.5e-15, "leak": 0.0, "reset": 5e-15, "read": 4e-16})
    assert done.by_purpose({}, {}) == {}


def test_neurons_without_memory_have_a_pulse_at_every_step() -> None:
    made = NeuronDevice.from_probability(
        np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.5, 1.0]), source="measured", drive=("voltage", "V", "made up"),
        energies=ENERGIES,
    )  # fmt: skip
    cell = FiringCell(made, 1.0, 1.0)
    with counted_neurons(cell) as counted:
        cell(torch.tensor([[[1.0, 0.0]], [[9.0, -5.0]]]))
    (use,) = counted.values()
    # Drives of 2, 1, 2 and 0 V.
    assert use.numbers == {"integrate": 3, "reset": use.spikes, "read": 4} and use.samples == 1
    assert use.by_purpose["integrate"] == pytest.approx(4e-15 * 2.25)


@pytest.mark.usefixtures("one_thread")
def test_a_run_says_what_its_neurons_spend(tmp_path: Path) -> None:
    """Energies of all causes add up; a run without a neuron file says that its law has none."""
    write_device(neuron(), tmp_path / "neuron.nc")
    summaries = []
    for cell, options in (("device", {"device": str(tmp_path / "neuron.nc")}), ("lif", {})):
        network = {"kind": "spiking", "hidden": [6], "options": {"cell": cell, "cell_options": options, "steps": 5}}
        recipe = recipe_from({"mode": "float", "epochs": 1, "dataset": {"name": "digits"}, "network": network}, "test")
        summaries.append(Run(recipe, tmp_path / cell).execute())
    neurons = summaries[0]["neurons"]
    assert neurons["samples"] == summaries[0]["dataset"]["test_samples"]
    assert list(neurons["by_cause"]) == ["integrate", "leak", "reset", "read"]
    assert neurons["per_inference_joule"] == pytest.approx(sum(neurons["by_cause"].values()))
    assert neurons["by_cause"]["read"] == pytest.approx(5 * 6 * 1e-16)
    assert neurons["by_cause"]["reset"] == pytest.approx(neurons["spikes_per_inference"] * 5e-15)
    assert summaries[1]["neurons"]["per_inference_joule"] is None
    assert training_row(summaries[0])["neuron_read_picojoule_per_inference"] == pytest.approx(3e-3)
    rows = result_table(summaries)
    assert rows[1]["neuron_picojoule_per_inference"] is None
    assert "spikes/inference" in markdown_table(rows)
    write_report([tmp_path / "device", tmp_path / "lif"], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "leak, without a pulse (pJ)" in page
    assert "neurons without a device file: their law has no energies" in page
