"""Layers that stay digital beside a chip, by hand; and that the account of a run has them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from barkhausen.experiment.recipe import recipe_from
from barkhausen.experiment.run import Run
from barkhausen.synapse.crossbar import LayerLoad, load_chip
from barkhausen.synapse.crossbar.digital_layers import DigitalLayer, digital_inference, digital_step

if TYPE_CHECKING:
    from tests.conftest import Report

pytestmark = pytest.mark.usefixtures("one_thread")

CHIP = load_chip()
LOAD = LayerLoad(24, 12, 0.0, 0.0, uses=961)


def test_by_hand(report: Report) -> None:
    multiply_adds, results = 24 * 12 * 961, 24 * 961
    compute = multiply_adds * 4.6e-12 + results * (4.6e-12 + 1e-13)
    buffer = 961 * 36 * 1e-11
    fetch = 24 * 12 * 5e-11
    report(
        "an inference", digital_inference(CHIP, [DigitalLayer(LOAD, False)]), 1.3 * (compute + buffer + fetch), 1e-12
    )
    fixed = digital_step(CHIP, [DigitalLayer(LOAD, False)], 10, 2)
    report("a step, fixed", fixed, 1.3 * (10 * (compute + buffer) + fetch), 1e-11)
    # Learnt: also a product and a sum of the gradient for each multiply-add, and three words of 32 bits.
    learnt = digital_step(CHIP, [DigitalLayer(LOAD, True)], 10, 2)
    gradient = 10 * multiply_adds * (4.6e-12 + 1e-13)
    assert learnt > fixed + 1.3 * gradient
    assert digital_inference(CHIP, []) == 0.0


def test_the_account_of_a_run_has_the_layers_that_stay_digital(tmp_path: Path) -> None:
    common = {"dataset": {"name": "digits"}, "epochs": 1, "threads": 1, "transfer": {"chips": 1}}
    airbench = {"kind": "airbench", "channels": [4, 4]}
    perceptron = {"hidden": [16]}
    found = {}
    for name, network in {
        "whitened": airbench,
        "plain": airbench | {"options": {"whitening": False}},
        "mlp": perceptron,
        "last float": perceptron | {"keep_float": ["last"]},
    }.items():
        summary = Run(recipe_from({**common, "network": network}, "test"), tmp_path / name).execute()
        found[name] = summary["account"]
    # 2 x 2 patches of one channel have 4 components, in both signs, at 7 x 7 positions.
    expected = digital_inference(CHIP, [DigitalLayer(LayerLoad(8, 4, 0.0, 0.0, uses=49), False)])
    assert found["whitened"]["inference"]["digital layers"] == pytest.approx(expected)
    assert found["whitened"]["int8_step"]["digital layers"] == found["whitened"]["step"]["digital layers"]
    assert "digital layers" not in found["plain"]["inference"]
    assert "digital layers" not in found["mlp"]["step"]
    last = digital_step(CHIP, [DigitalLayer(LayerLoad(10, 16, 0.0, 0.0), True)], 100, 2)
    assert found["last float"]["step"]["digital layers"] == pytest.approx(last)
