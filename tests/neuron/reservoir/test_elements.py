"""Driven elements: segments against the sequential run, closed loops, resuming, and wrong parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from barkhausen.core.config import validated
from barkhausen.core.errors import InputError
from barkhausen.neuron.reservoir import (
    Checkpoint,
    CoupledDots,
    EchoStateNetwork,
    EchoStateOptions,
    Element,
    Feedback,
    Macrospin,
    SkyrmionDisc,
    WithInput,
    coupled_dots,
    drive,
    forced_states,
    macrospin,
    skyrmion_disc,
)
from barkhausen.neuron.reservoir.base import Run

SPIN = Macrospin.model_validate({"virtual_nodes": 5, "material": {"damping": 0.1}})


def inputs(steps: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, steps)


@pytest.mark.parametrize(
    "element",
    [
        macrospin(SPIN),
        pytest.param(skyrmion_disc(SkyrmionDisc(virtual_nodes=4)), marks=pytest.mark.slow),
    ],
)
def test_segments_side_by_side_agree_with_the_sequential_run(element: Element) -> None:
    series = inputs(19)
    alone = drive(element, series[None]).states[0, 8:]
    cut, intact = forced_states(element, series, 8, 19, washout=8, segments=3)
    assert intact == 1.0 and alone.std(0).min() > 0.005
    # What is left of the beginning after the washout, and nothing else.
    np.testing.assert_allclose(cut, alone, atol=2e-3 * alone.std())


def test_dots_see_each_other_and_are_read_one_by_one() -> None:
    near, far = (coupled_dots(CoupledDots(virtual_nodes=4, gap=gap, cell=8e-9)) for gap in (10e-9, 200e-9))
    assert near.nodes == 12
    steps = inputs(3)[None]
    one, two = (drive(element, steps).states for element in (near, far))
    assert np.abs(one - two).max() > 0.01
    # A strength of the gate of its own for each.
    assert np.abs(one[..., ::3] - one[..., 1::3]).max() > 0.01


def test_copies_average_the_noise_of_their_own() -> None:
    hot = {"temperature": 300.0, "virtual_nodes": 2}
    steps = np.zeros((2, 60))
    spreads = [
        drive(macrospin(Macrospin.model_validate(hot | {"copies": copies})), steps, seed=1).states[..., -1].std()
        for copies in (1, 16)
    ]
    assert 2.5 < spreads[0] / spreads[1] < 6


def test_an_interrupted_closed_loop_resumes_to_the_last_bit(tmp_path: Path) -> None:
    element = macrospin(SPIN.model_copy(update={"temperature": 300.0, "copies": 2}))

    def made(folder: Path | None, stop_at: int = 10**6) -> np.ndarray:
        calls = 0

        def predict(states: np.ndarray) -> np.ndarray:
            nonlocal calls
            calls += 1
            if calls > stop_at:
                raise KeyboardInterrupt
            return 2 * states[:, -1, -1] - 0.7 * states[:, -2, 0]

        loop = Feedback(12, 2, predict, name="test")
        kept = None if folder is None else Checkpoint(folder, every=4)
        return drive(element, inputs(6).reshape(2, 3), seed=5, feedback=loop, checkpoint=kept).outputs

    with pytest.raises(KeyboardInterrupt):
        made(tmp_path, stop_at=7)
    assert len(list(tmp_path.iterdir())) == 1
    whole = made(None)
    assert np.array_equal(made(tmp_path), whole)
    # Finished: read, not computed.
    assert np.array_equal(made(tmp_path, stop_at=0), whole)
    (next(tmp_path.iterdir())).write_bytes(b"no archive")
    with pytest.raises(InputError, match="damaged"):
        made(tmp_path)


def test_echo_state_network_agrees_with_reservoirpy() -> None:
    nodes = pytest.importorskip("reservoirpy.nodes")
    network = EchoStateNetwork(EchoStateOptions(units=30, leak=0.6, connectivity=0.3, spectral_radius=0.9), seed=4)
    assert np.abs(np.linalg.eigvals(network.weights)).max() == pytest.approx(0.9)
    steps = inputs(50)
    ours = drive(network, steps[None]).states[0]
    theirs = nodes.Reservoir(
        units=30, lr=0.6, W=network.weights, Win=network.input_weights[:, None], bias=network.biases
    )
    np.testing.assert_allclose(ours, np.asarray(theirs.run(steps[:, None])), atol=1e-9)


def test_the_input_may_be_a_node_beside_the_states() -> None:
    steps = inputs(12).reshape(2, 6)
    bare, both = (drive(element, steps).states for element in (macrospin(SPIN), WithInput(macrospin(SPIN))))
    assert np.array_equal(both[..., :-1], bare) and np.array_equal(both[..., -1], steps)


class Broken(Element):
    nodes = 1

    def start(self, sequences: int, seed: int) -> Run:
        raise AssertionError

    def describe(self) -> dict[str, Any]:
        return {}


def test_wrong_parameters_and_inputs_are_told_in_a_line() -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"offset": -1.8, "swing": 0.4}, "breakdown"),
        ({"copies": 4}, "at 0 K all are alike"),
        ({"hold": 1.0}, "hold = 1 s"),
        ({"virtual_nodes": 0}, "virtual_nodes"),
        ({"dampning": 0.1}, "unknown key 'dampning'"),
        ({"material": {"anisotropy": 0.8}}, "anisotropy"),
    ]
    for given, words in cases:
        with pytest.raises(InputError, match=words) as caught:
            validated(SkyrmionDisc, given, "recipe")
        assert "\n" not in str(caught.value)
    for steps in (np.array([[np.nan]]), np.zeros((0, 3)), np.zeros(4)):
        with pytest.raises(InputError, match="inputs"):
            drive(Broken(), steps)
    with pytest.raises(InputError, match="fewer than the 3"):
        drive(Broken(), np.zeros((1, 2)), feedback=Feedback(1, 3, lambda states: states[:, 0, 0]))
    with pytest.raises(InputError, match="must lie in a series of 10"):
        forced_states(Broken(), np.zeros(10), 4, 10, washout=5)
