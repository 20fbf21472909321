"""Made-up neurons for tests."""

from __future__ import annotations

import numpy as np

from barkhausen.device.neuron import Cycles, Joules, NeuronDevice, StepTables

DRIVES, PLACES = np.array([0.0, 1e11, 4e11]), np.linspace(0.0, 100e-9, 5)


def neuron(spread: float = 3e-9, failed: int = 0) -> NeuronDevice:
    """Steps of 20 nm at the largest drive, 30 % less at the threshold, and a leak of 2 nm."""
    mean = (DRIVES[:, None] / 4e11) * 20e-9 * (1 - 0.3 * PLACES / PLACES[-1]) - 2e-9
    tables = StepTables(mean, np.full(mean.shape, spread), np.full(mean.shape, 10))
    return NeuronDevice.from_steps(
        DRIVES,
        PLACES,
        tables,
        technology="domain-wall",
        source="declared",
        drive=("current density", "A/m2", "made up"),
        threshold=100e-9,
        step_time=1e-9,
        cycles=Cycles(120, 100, failed, 3),
        energies={
            "pulse": Joules("pulse", 2e-15, 2.0, "pulse"),
            "read": Joules("read", 1e-16, 0.0, "read"),
            "reset": Joules("reset", 5e-15, 0.0, "reset pulse"),
        },
    )
