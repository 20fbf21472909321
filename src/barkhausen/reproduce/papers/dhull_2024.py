"""VGG8 with quantised domain walls on CIFAR-10, and its chip against CMOS (Dhull et al. 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from barkhausen.experiment.energy.untrained import untrained_loads
from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.score import held_out
from barkhausen.experiment.work.rows import Summary
from barkhausen.reproduce.comparisons import kind_label, readings_of_energy, spread_text, verdict_of
from barkhausen.reproduce.systems import FOLDER, SYSTEMS, Reading, Summaries, System
from barkhausen.results.published import Figure, figures_of
from barkhausen.results.table import by_kind
from barkhausen.synapse.crossbar import LayerLoad, load_chip
from barkhausen.synapse.crossbar.chip import Chip
from barkhausen.synapse.crossbar.cmos import Comparison, Ratio, compared, sensitivities
from barkhausen.synapse.crossbar.cmos.comparison import ratio as ratio_of
from barkhausen.synapse.crossbar.cmos.published_chips import PUBLISHED_CHIPS

BITS = 5
"""Bits of a weight in SRAM cells: those of DNN+NeuroSim's VGG8."""

SHOWN = 3
"""Constants whose sensitivities are shown."""

RATIOS = {
    "area": "area of pure CMOS over ours",
    "energy": "energy of pure CMOS over ours",
    "latency": "latency of pure CMOS over ours",
}


def readings(summaries: Summaries) -> list[Reading]:
    """Accuracies, energies, and ratios of SRAM cells to devices, beside the paper's."""
    figures = {figure.quantity: figure for figure in figures_of("dhull-2024")}
    found = []
    for runs in by_kind(summaries):
        label = kind_label(runs[0])
        values = [100 * held_out(run) for run in runs]
        figure = figures["inference accuracy"] if runs[0]["states"] is not None else None
        beside = "" if figure is None else f"{100 * figure.value:.1f} %"
        text = spread_text(values, ".2f", " %")
        found.append(Reading(label, "accuracy at inference", text, beside, verdict_of(fmean(values) / 100, figure)))
        found += readings_of_energy(runs, label)
    on_devices = [run for run in summaries if run["states"] is not None]
    return found + (_ratios(on_devices[0], figures) if on_devices else [])


def _ratios(summary: Summary, figures: dict[str, Figure]) -> list[Reading]:
    """Ratios of SRAM cells to devices with the same inputs, for the network of a run without its measured inputs."""
    chip = load_chip(node="32")
    network = untrained_loads(recipe_from(dict(summary["recipe"]), "summary.json"), chip)
    made = compared(chip, network.loads, bits=BITS)
    found = []
    for ratio in made.ratios()[-2:]:
        for name, quantity in RATIOS.items():
            ours, figure = getattr(ratio, name), figures[quantity]
            label = f"{ratio.of} over {ratio.to}"
            verdict = verdict_of(ours, figure)
            found.append(Reading(label, f"{name} of one inference, ratio", f"{ours:.3g}", f"{figure.value:g}", verdict))
    return [*found, *_sensitivities(chip, network.loads), *_operations(made)]


def _sensitivities(chip: Chip, loads: Sequence[LayerLoad]) -> list[Reading]:
    """Ratios of SRAM cells to devices with the constants that they depend on most halved and doubled."""

    def sram_to_devices(changed: Chip) -> Ratio:
        made = compared(changed, loads, bits=BITS)
        return ratio_of(made.others[0], made.serial)

    found = []
    for item in sensitivities(chip, sram_to_devices)[:SHOWN]:
        ours = "; ".join(
            f"{name} {getattr(item.halved, name):.3g} … {getattr(item.doubled, name):.3g}" for name in RATIOS
        )
        label = "sensitivity of the first three ratios"
        found.append(Reading(label, f"{item.constant} halved … doubled", ours))
    return found


def _operations(made: Comparison) -> list[Reading]:
    """Operations per joule beside published chips."""
    beside = "; ".join(f"{chip.tera_operations:.3g} ({chip.name})" for chip in PUBLISHED_CHIPS)
    return [
        Reading(machine.name, "operations per joule of one inference", f"{made.tera_operations(machine):.3g} TOPS/W",
                f"{beside} TOPS/W", "published: peak figures of other networks and precisions")
        for machine in (made.ours, made.serial, made.others[0])
    ]  # fmt: skip


DHULL_2024 = SYSTEMS.register(
    "dhull-2024",
    System(
        name="dhull-2024",
        title="VGG8 on 5-state domain-wall synapses on CIFAR-10, ex situ and in situ, beside the float baseline, and "
        "its chip against SRAM cells",
        status="after",
        sweep=FOLDER / "dhull-2024.toml",
        assumptions=(
            "the network is the VGG8 of DNN+NeuroSim without normalisation and biases, which the paper is taken to "
            "have used; its integers, squared error and 256 epochs are not taken over",
            "5 states of the shipped non-volatile device: the paper's number of states is not published",
            "epochs (10), batch, rates, cross-entropy and tolerance margin are ours",
            "images are padded by 4 pixels of zeros after scaling to [-1, 1], cropped at random and flipped",
            "pure CMOS is taken to be the same chip with SRAM cells, 5 a weight, and inputs bit by bit on both, at 32 "
            "nm; all constants are those of our chip, not of DNN+NeuroSim",
        ),
        quick={
            "set.epochs": 1,
            "set.transfer.chips": 2,
            "set.network.options.layers": [16, 16, "pool", 32, 32, "pool", 64, 64, "pool"],
            "set.network.hidden": [128],
        },
        readings=readings,
    ),
)
