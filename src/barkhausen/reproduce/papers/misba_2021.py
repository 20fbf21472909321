"""Low-resolution stochastic domain-wall synapses on MNIST (Misba et al. 2021)."""

from __future__ import annotations

from barkhausen.reproduce.comparisons import accuracies, kind_label, readings_of_energy
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System
from barkhausen.results.table import by_kind


def readings(summaries: Summaries) -> list[Reading]:
    """Accuracy of every kind of run, and energy in three readings, beside the paper's."""
    found = []
    for runs in by_kind(summaries):
        label = kind_label(runs[0])
        found += [accuracies(runs, label), *readings_of_energy(runs, label)]
    return found


MISBA_2021 = SYSTEMS.register(
    "misba-2021",
    System(
        name="misba-2021",
        title="2-, 3- and 5-state domain-wall synapses, non-volatile and volatile, on MNIST, in situ and ex situ, "
        "beside the float baseline",
        status="after",
        sweep=FOLDER / "misba-2021.toml",
        assumptions=(
            "geometry, material constants, pulse, gate voltages and statistics of the states are those of the shipped "
            "devices: nonvolatile-N keep their states for years, racetrack-N are fast and forget within seconds",
            "layer sizes (256, 128, 64), batch size, learning rates and tolerance margin are ours, chosen on 10 000 "
            "validation samples of the training set",
            "how the 13 pJ per inference were derived is not published: three readings of our energy stand beside them",
        ),
        quick={"set.epochs": 2, "set.transfer.chips": 3, "search.repeat.seed": [0]},
        stand_in="digits",
        core_minutes=14,
        results="docs/results.md",
        readings=readings,
    ),
)
