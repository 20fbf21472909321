"""Tables of the page about a device whose states are categories: what each pulse makes of each category."""

from __future__ import annotations

import numpy as np

from barkhausen.core.units import FEMTO
from barkhausen.device.categories.device import CategoricalDevice
from barkhausen.device.statistics.shares import wilson
from barkhausen.report.panels import Panel
from barkhausen.report.render import sig


def transition_panels(device: CategoricalDevice) -> list[Panel]:
    """Probabilities of every transition, the pulse for each wanted state, and energies of pulses."""
    return [_probabilities(device), _policy(device), _energies(device)]


def _probabilities(device: CategoricalDevice) -> Panel:
    categories, counts = device.categories, device.counts
    rows = []
    for number, pulse in enumerate(device.pulses):
        for before, category in enumerate(categories):
            events = counts[number, before]
            total = int(events.sum())
            if total:
                rows.append((f"{pulse}, from {category}", *(_share(int(count), total) for count in events), str(total)))
    return Panel(
        "Transitions",
        "Probability that a pulse brings the device from one category to another, in %, with 95 % Wilson intervals.",
        [],
        ("pulse", *(f"to {category}" for category in categories), "events"),
        rows,
    )


def _policy(device: CategoricalDevice) -> Panel:
    states = range(device.policy.shape[1])
    rows = []
    for row, category in enumerate(device.categories):
        cells = []
        for state in states:
            pulse = int(device.policy[row, state])
            good, total = device.success(category, state)
            reached = f" ({100 * good / total:.1f} %)" if total else ""
            cells.append("–" if pulse < 0 else f"{device.pulses[pulse]}{reached}")
        rows.append((category, *cells))
    return Panel(
        "Pulse for each wanted state",
        "Pulse that an array gives to a device of each category, and how often it ended in the wanted state.",
        [],
        ("category", *(f"state {state}" for state in states)),
        rows,
    )


def _energies(device: CategoricalDevice) -> Panel:
    energies, labels = device.pulse_energies, device.energy_causes
    total = np.sum(list(energies.values()), axis=0) if energies else np.zeros(len(device.pulses))
    rows = [
        (
            pulse,
            *(sig(FEMTO * float(values[number])) for values in energies.values()),
            sig(FEMTO * float(total[number])),
        )
        for number, pulse in enumerate(device.pulses)
    ]
    read = f"A read of the category takes {sig(FEMTO * device.read_energy)} fJ."
    return Panel(
        "Energy of the pulses",
        f"Energy of each pulse by cause. {read}",
        [],
        ("pulse", *(f"{labels[cause]} (fJ)" for cause in energies), "all (fJ)"),
        rows,
    )


def _share(count: int, total: int) -> str:
    low, high = wilson(count, total)
    return f"{100 * count / total:.1f} ({100 * low:.1f} to {100 * high:.1f})"
