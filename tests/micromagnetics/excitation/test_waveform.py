from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from barkhausen.core.errors import InputError
from barkhausen.micromagnetics import Waveform

NAN, INF = math.nan, math.inf


def reference(knots: list[float], values: list[float], at: float) -> float:
    """The definition, in words: the last knot not after ``at``, and the straight line from it to the next."""
    passed = [k for k, knot in enumerate(knots) if knot <= at]
    if not passed:
        return values[0]
    k = passed[-1]
    if k == len(knots) - 1:
        return values[-1]
    return values[k] + (at - knots[k]) / (knots[k + 1] - knots[k]) * (values[k + 1] - values[k])


# Times on a coarse grid, so that equal times (steps) are common and differences are exact.
moments = st.integers(-8, 24).map(lambda k: k / 8)
heights = st.integers(-16, 16).map(lambda k: k / 4)


@st.composite
def tables(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Times and values ``[knot, replica]``, either common to all of three replicas or not."""
    knots = draw(st.integers(1, 5))
    columns = [draw(st.sampled_from([1, 3])) for _ in range(2)]
    times = [sorted(draw(st.lists(moments, min_size=knots, max_size=knots))) for _ in range(columns[0])]
    values = [draw(st.lists(heights, min_size=knots, max_size=knots)) for _ in range(columns[1])]
    return np.array(times).T, np.array(values).T


waveforms = tables().map(lambda table: Waveform(torch.from_numpy(table[0]), torch.from_numpy(table[1])))
instants = st.lists(moments | st.floats(-2, 4), min_size=1, max_size=6)


@given(table=tables(), times=instants)
def test_values_between_knots_lie_on_lines_and_a_step_takes_its_later_value(
    table: tuple[np.ndarray, np.ndarray], times: list[float]
) -> None:
    knots, values = table
    wave = Waveform(torch.from_numpy(knots), torch.from_numpy(values))
    found = wave(torch.tensor(times, dtype=torch.float64))
    assert wave.replicas == max(knots.shape[1], values.shape[1])
    for k, at in enumerate(times):
        for replica in range(wave.replicas):
            t, v = knots[:, replica % knots.shape[1]].tolist(), values[:, replica % values.shape[1]].tolist()
            # The same expression but for one rounding of values up to 4.
            assert float(found[k, replica]) == pytest.approx(reference(t, v, at), abs=1e-14)


@given(one=waveforms, other=waveforms, times=instants)
def test_sum_is_the_sum_at_every_instant_steps_included(one: Waveform, other: Waveform, times: list[float]) -> None:
    at = torch.tensor(times, dtype=torch.float64)
    total = one + other
    # Two roundings of values up to 8.
    torch.testing.assert_close(total(at), (one(at) + other(at)).expand(-1, total.replicas), rtol=0, atol=1e-13)
    assert total.replicas == max(one.replicas, other.replicas)
    assert total.end == max(one.end, other.end)
    # Adding again uses the limits from the left, which a look at the values alone would not test.
    thrice = total + one
    torch.testing.assert_close(thrice(at), (2 * one(at) + other(at)).expand(-1, total.replicas), rtol=0, atol=1e-13)


@given(wave=waveforms, times=instants)
def test_selection_is_the_waveform_of_these_replicas(wave: Waveform, times: list[float]) -> None:
    at = torch.tensor(times, dtype=torch.float64)
    if wave.replicas == 1:
        assert torch.equal(wave.select(torch.tensor([0]))(at), wave(at))
        return
    order = torch.tensor([2, 0])
    assert torch.equal(wave.select(order)(at), wave(at)[:, order])


@given(wave=waveforms, until=st.integers(0, 32).map(lambda k: k / 8))
def test_integral_of_the_square_is_that_of_a_fine_sum(wave: Waveform, until: float) -> None:
    # Between multiples of 1/8, where all knots lie, the square is a parabola, which two Gauss points integrate exactly.
    edges = torch.arange(0, until + 1e-9, 1 / 8, dtype=torch.float64)
    total = torch.zeros(wave.replicas, dtype=torch.float64)
    for node in (0.5 - 0.5 / math.sqrt(3), 0.5 + 0.5 / math.sqrt(3)):
        total += (wave(edges[:-1] + node / 8) ** 2).sum(0) / 16
    # At most 64 terms of up to 16.
    torch.testing.assert_close(wave.integral_of_square(until), total, rtol=1e-12, atol=1e-12)


def test_integral_of_a_pulse_by_hand() -> None:
    pulse = Waveform.pulse([2.0, -1.0], width=3.0, start=1.0, rise=0.5, fall=0.0)
    # A flank contributes a third of its plateau: 4 (3 + 0.5/3), and 1 (3 + 0.5/3).
    assert pulse.integral_of_square(10.0).tolist() == pytest.approx([38 / 3, 19 / 6], rel=1e-14)
    assert pulse.integral_of_square(2.0).tolist() == pytest.approx([4 * (0.5 + 0.5 / 3), 0.5 + 0.5 / 3], rel=1e-14)
    assert pulse.integral_of_square(0.5).tolist() == [0.0, 0.0]


def test_pulse_rises_stays_and_falls() -> None:
    pulse = Waveform.pulse(4.0, width=2.0, start=1.0, rise=1.0, fall=2.0)
    at = torch.tensor([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 9.0], dtype=torch.float64)
    assert pulse(at)[:, 0].tolist() == [0, 0, 2, 4, 4, 4, 2, 0, 0]
    assert pulse.end == 6.0
    square = Waveform.pulse(4.0, width=2.0, start=1.0)
    assert square(torch.tensor([0.9, 1.0, 2.9, 3.0]))[:, 0].tolist() == [0, 4, 4, 0]


def test_each_replica_may_have_its_own_pulse() -> None:
    pulse = Waveform.pulse([1.0, 2.0], width=[1.0, 3.0], start=[0.0, 1.0])
    assert pulse.replicas == 2
    at = torch.tensor([0.5, 1.5, 3.9, 4.1], dtype=torch.float64)
    assert pulse(at).tolist() == [[1, 0], [0, 2], [0, 2], [0, 0]]
    widths = Waveform.pulse(1.0, width=[1.0, 2.0, 3.0])
    assert widths(torch.tensor([1.5])).tolist() == [[0, 1, 1]]


def test_constants() -> None:
    at = torch.tensor([-1.0, 0.0, 5.0])
    assert Waveform.constant(3.0)(at).tolist() == [[3.0]] * 3
    assert Waveform.constant([1.0, 2.0])(at).tolist() == [[1.0, 2.0]] * 3
    assert Waveform.constant(0.0).is_zero
    assert not Waveform.constant([0.0, 1e-300]).is_zero
    assert Waveform.pulse(0.0, 1.0).is_zero


def test_two_pulses_make_a_train() -> None:
    train = Waveform.pulse(1.0, width=1.0) + Waveform.pulse(2.0, width=1.0, start=1.0)
    assert train(torch.tensor([0.0, 0.5, 1.0, 1.5, 2.0]))[:, 0].tolist() == [1, 1, 2, 2, 0]
    assert float(train.integral_of_square(5.0)) == pytest.approx(5.0, rel=1e-14)


IMPOSSIBLE_WAVEFORMS: list[tuple[Any, Any, str]] = [
    ([], [], r"waveform: times must have the shape \(knots, replicas\), not \(0, 1\)"),
    ([0.0], [[]], r"waveform: values must have the shape \(knots, replicas\), not \(1, 0\)"),
    ([0.0], [[[1.0]]], r"waveform: values must have the shape \(knots, replicas\), not \(1, 1, 1\)"),
    (0.0, [1.0], r"waveform: times must have the shape \(knots, replicas\), not \(\)"),
    ([0.0, NAN], [1.0, 1.0], "waveform: not all times are finite"),
    ([0.0, INF], [1.0, 1.0], "waveform: not all times are finite"),
    ([0.0, 1.0], [1.0, NAN], "waveform: not all values are finite"),
    ([0.0, 1.0], [1.0, -INF], "waveform: not all values are finite"),
    ([0.0, 1.0], [1.0], "waveform: 2 times but 1 values"),
    ([[0.0, 0.0]], [[1.0, 1.0, 1.0]], "waveform: times and values are given for different numbers of replicas"),
    ([0.0, 2.0, 1.0], [1.0, 1.0, 1.0], "waveform: times must not decrease"),
    ([[0.0, 1.0], [1.0, 0.0]], [1.0, 1.0], "waveform: times must not decrease"),
]


def test_impossible_waveform_is_refused() -> None:
    for times, values, message in IMPOSSIBLE_WAVEFORMS:
        with pytest.raises(InputError, match=f"^{message}$"):
            Waveform(times, values)


IMPOSSIBLE_PULSES: list[tuple[dict[str, Any], str]] = [
    *(({key: -1e-9}, rf"pulse\.{key} = -1e-09: must be zero or positive") for key in ("width", "rise", "fall")),
    ({"width": [1e-9, -2e-9]}, r"pulse\.width = -2e-09: must be zero or positive"),
    *(({key: value}, rf"pulse\.{key}: not all values are finite")
      for key in ("amplitude", "width", "start", "rise", "fall") for value in (NAN, INF, [0.0, NAN])),
    ({"amplitude": [1.0, 2.0], "width": [1e-9] * 3},
     "pulse: amplitude for 2, width for 3, start for 1, rise for 1, fall for 1 replicas"),
]  # fmt: skip


def test_impossible_pulse_is_refused() -> None:
    for changes, message in IMPOSSIBLE_PULSES:
        with pytest.raises(InputError, match=f"^{message}$"):
            Waveform.pulse(**({"amplitude": 1.0, "width": 1e-9} | changes))
