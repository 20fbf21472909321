"""Description of a finished run for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from barkhausen.core.config import flat
from barkhausen.core.display.html import Description, Section, quantity
from barkhausen.experiment.score import measured_on
from barkhausen.experiment.summary import energy_of

if TYPE_CHECKING:
    from barkhausen.results.finished import FinishedRun


def describe_run(run: FinishedRun) -> Description:
    """Accuracies, energy, recipe and assumptions of a run."""
    summary = run.summary
    chips, score = summary["chips"], run.score
    spread = f" ± {score.number(chips['std'])} between {chips['count']} chips" if chips["count"] > 1 else ""
    facts: dict[str, object] = {
        "mode": summary["mode"],
        "data set": f"{summary['dataset']['name']}, {summary['dataset']['train_samples']} training samples",
        "device": run.device_name,
        "epochs": summary["epochs"],
        "seed": summary["seed"],
        f"{measured_on(summary)} {score.label}": f"{score.shown(run.held_out)}{spread}",
    }
    unseen = summary.get("unseen_chips")
    if unseen:
        facts["unseen chips"] = (
            f"{score.shown(unseen['mean'])} ± {score.number(unseen['std'])} between {unseen['count']} chips"
        )
    sections = []
    if summary["states"] is not None:
        facts["states"] = summary["states"]
        energy, breakdown = summary["energy"], energy_of(summary)
        each = quantity(energy["per_inference_joule"], "J")
        facts["programming energy"] = f"{quantity(breakdown.total, 'J')}, {each} per training sample and epoch"
        counts = summary["programming"]
        rows = [(breakdown.label(cause), quantity(value, "J")) for cause, value in breakdown.by_cause.items()]
        sections = [
            Section("Programming energy by cause", ("cause", "energy"), rows, opened=True),
            Section(
                "Programming events",
                pairs={name.replace("_", " "): value for name, value in counts.items() if not isinstance(value, dict)},
            ),
        ]
    sections += [
        Section("Recipe", pairs=flat(summary["recipe"])),
        Section("Assumptions", lines=summary["assumed"]),
        Section("Notes", lines=summary.get("notes", [])),
        Section("Software", pairs=summary["software"]),
    ]
    return Description("FinishedRun", facts, sections, name=run.name)
