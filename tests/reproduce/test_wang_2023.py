from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from barkhausen.experiment.checkpoint import save_checkpoint
from barkhausen.experiment.uncertainty import OUTPUTS
from barkhausen.report.render import render
from barkhausen.reproduce.papers.wang_2023.system import (
    DETERMINISTIC,
    ENSEMBLE,
    FLOAT,
    RETRAINED,
    STOCHASTIC,
    conclude,
    networks_of,
)
from barkhausen.reproduce.run import reproduce
from barkhausen.reproduce.systems import Measured
from barkhausen.results.cross_validation import fold_mean


def made_up(folder: Path, folds: int = 5) -> list[Measured]:
    """Networks with outputs of known quality: the stochastic one is right and sure, the deterministic one is not."""
    generator = torch.Generator().manual_seed(0)
    kinds = [
        ({"rule.noise": "none", "rule.chips": 1}, "stdp", 0, 1.0, 4),
        ({"rule.noise": "none", "rule.chips": 100}, "stdp", 0, 1.0, 4),
        ({"rule.noise": "both", "rule.chips": 100}, "stdp", 0, 3.0, 4),
        ({}, "float", 0, 2.0, 1),
        ({}, "float", 1, 2.0, 1),
    ]
    found = []
    for number, (settings, mode, seed, quality, members) in enumerate(kinds):
        for fold in range(folds):
            labels = torch.arange(60) % 2
            outputs = quality * torch.nn.functional.one_hot(labels, 2) + torch.randn(
                members, 60, 2, generator=generator
            )
            directory = folder / f"{number}-{fold}"
            directory.mkdir(parents=True)
            save_checkpoint(directory / OUTPUTS, {"outputs": outputs, "labels": labels})
            place = {"dataset.options.fold": fold, "dataset.options.shuffle": 0}
            found.append(Measured({**settings, **place}, {"mode": mode, "seed": seed}, {}, directory=directory))
    return found


def test_the_claim_is_tested_on_paired_folds(tmp_path: Path) -> None:
    measured = made_up(tmp_path)
    networks = {network.name: network for network in networks_of(measured)}
    assert set(networks) == {DETERMINISTIC, "deterministic, one pass", RETRAINED, STOCHASTIC, FLOAT, ENSEMBLE}
    assert networks[ENSEMBLE].predictive[0, 0].members == 2
    assert networks["deterministic, one pass"].predictive[0, 0].members == 1
    found = conclude(measured)
    claim = found.readings[0]
    assert (claim.kind, claim.verdict) == (STOCHASTIC, "holds")
    assert "nll" in claim.ours
    rows = {row["network"]: row for row in found.table}
    assert rows[STOCHASTIC]["nll"] < rows[DETERMINISTIC]["nll"]
    assert rows[STOCHASTIC]["nll_low"] < rows[STOCHASTIC]["nll"] < rows[STOCHASTIC]["nll_high"]
    page = render("system/system.html.jinja", beside=_Beside(), panels=found.panels, spread=found.spread, notes=())
    assert "Window of the plasticity" in page
    # The other way round it fails, and is reported as such.
    swapped = [
        Measured({**task.settings, "rule.noise": {"none": "both", "both": "none"}[task.settings["rule.noise"]],
                  "rule.chips": {1: 100, 100: 1}[task.settings["rule.chips"]]},
                 task.shown, {}, directory=task.directory)
        for task in measured
        if task.shown["mode"] == "stdp"
        and (task.settings["rule.noise"], task.settings["rule.chips"]) != ("none", 100)
    ]  # fmt: skip
    assert conclude(swapped).readings[0].verdict.startswith("fails")


class _Beside:
    name = title = status = "made up"
    paper = None
    readings = assumptions = ()
    link = ""


def test_the_test_over_folds_allows_for_their_overlap() -> None:
    values = [0.1, 0.2, 0.15, 0.05, 0.3]
    plain = stats.ttest_1samp(values, 0.0)
    found = fold_mean(values, 0.0)
    assert (found.t, found.p) == pytest.approx((plain.statistic, plain.pvalue))
    corrected = fold_mean(values, 0.25)
    # (1/5 + 1/4) / (1/5) is the factor on the variance.
    assert corrected.t == pytest.approx(plain.statistic / np.sqrt(2.25))
    assert corrected.p > found.p
    assert np.isnan(fold_mean([0.3], 0.25).p)


@pytest.mark.slow
def test_a_quick_look_has_all_networks(tmp_path: Path) -> None:
    rows = reproduce(tmp_path, "wang-2023", quick=True)
    assert len(rows) == 11
    assert all(row["folds"] == 2 for row in rows)
    assert next(row["accuracy"] for row in rows if row["network"] == STOCHASTIC) > 0.85
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["readings"][0]["quantity"].startswith("the claim, tested by four figures")
