"""Spiking cells: compiled code against the loop over steps, other codes, and the published law of the wall."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.learning.spiking import (
    Cell,
    IntegrateCell,
    LeakyCell,
    Reset,
    Surrogate,
    WallCell,
    WallLaw,
    kernel,
    spike,
)

STEPS, SAMPLES, NEURONS = 40, 3, 90


def currents(scale: float, seed: int = 0) -> Tensor:
    """Inputs that make neurons fire now and then; 270 elements are more than a block of the compiled code."""
    return scale * torch.randn(STEPS, SAMPLES, NEURONS, generator=torch.Generator().manual_seed(seed)).abs()


def outcome(cell: Cell, inputs: Tensor) -> tuple[Tensor, ...]:
    """Spikes, gradient of a weighted sum of them, and the last state."""
    inputs = inputs.clone().requires_grad_()
    spikes, state = cell(inputs, generator=torch.Generator().manual_seed(5))
    weights = torch.randn(spikes.shape, generator=torch.Generator().manual_seed(6))
    (spikes * weights).sum().backward()
    assert inputs.grad is not None
    return spikes.detach(), inputs.grad, *state


CELLS = {
    "LIF": LeakyCell,
    "LIF, subtracting": lambda: LeakyCell(reset="subtract", gradient_through_reset=False),
    "IF with noise": lambda: IntegrateCell(spread=0.3, surrogate=Surrogate("triangle", 2.0)),
    "LIF, cut": lambda: LeakyCell(truncation=7, surrogate=Surrogate("arctangent", 3.0)),
    "LIF, ignoring": lambda: LeakyCell(reset="ignore", leak=0.3, surrogate=Surrogate("box", 2.0)),
    "wall": lambda: WallCell(normalised=True, truncation=9),
    "wall in metres": WallCell,
    "wall, no reset, noise": lambda: WallCell(normalised=True, reset="none", spread=0.3),
    "wall, ignoring": lambda: WallCell(WallLaw(current=4e-4, damping=2.0), normalised=True, reset="ignore", spread=0.1),
}


@pytest.mark.parametrize("name", CELLS)
def test_compiled_cells_do_what_the_loop_over_steps_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spikes are the same, and so are gradients up to rounding."""
    if kernel.library() is None:
        pytest.skip("not built")
    inputs = currents(2.0)
    compiled = outcome(CELLS[name](), inputs)
    traced = CELLS[name]().trace(inputs, generator=torch.Generator().manual_seed(5))
    monkeypatch.setattr(kernel, "library", lambda: None)
    looped = outcome(CELLS[name](), inputs)
    assert 20 < looped[0].sum() < 0.95 * looped[0].numel()
    for ours, reference in zip(compiled, looped, strict=True):
        torch.testing.assert_close(ours, reference, rtol=2e-4, atol=2e-5 * float(reference.abs().max()))
    for ours, reference in zip(
        traced, CELLS[name]().trace(inputs, generator=torch.Generator().manual_seed(5)), strict=True
    ):
        torch.testing.assert_close(ours, reference, rtol=1e-5, atol=1e-5)


def test_a_call_in_parts_is_a_call_with_a_truncated_gradient() -> None:
    """The state goes on, the gradient does not."""
    cell, inputs = WallCell(normalised=True, truncation=10), currents(2.0).requires_grad_()
    whole, last = cell(inputs)
    whole.sum().backward()
    gradient, inputs.grad, state, parts = inputs.grad, None, None, []
    for start in range(0, STEPS, 10):
        out, state = WallCell(normalised=True)(inputs[start : start + 10], state)
        parts.append(out)
    torch.cat(parts).sum().backward()
    torch.testing.assert_close(torch.cat(parts), whole)
    torch.testing.assert_close(inputs.grad, gradient)
    assert state is not None and torch.equal(state.value, last.value)


def test_published_law_of_the_wall() -> None:
    """Path for an input of 1 at the narrow end, and the leak, of the facts of the published code."""
    law = WallLaw()
    assert law.anisotropy == pytest.approx(1.38e5, rel=2e-3)
    assert law.wall_width == pytest.approx(9.70e-9, rel=1e-3)
    assert law.leak * law.step == pytest.approx(0.163e-9, rel=3e-3)
    assert law.drive * law.step == pytest.approx(6.7e-9, rel=0.02)
    # From above the threshold without a reset: as many steps as the leak needs.
    cell = WallCell(law, reset="none")
    state = cell.rest(torch.zeros(1, 1))._replace(value=torch.tensor([[1.0 - 1e-6]]))
    _, values = cell.trace(torch.zeros(1300, 1, 1), state)
    assert int((values > 0).sum()) == pytest.approx(1230, abs=4)


def test_the_two_parametrisations_fire_alike_and_learn_unlike() -> None:
    """Gradients of the published one are those of x in metres."""
    inputs = currents(2.0)
    metres, normalised = (outcome(WallCell(normalised=choice), inputs) for choice in (False, True))
    assert torch.equal(metres[0], normalised[0])
    assert metres[1].abs().max() < 1e-3 * normalised[1].abs().max()


def test_noise_is_drawn_anew_and_goes_on_after_saving() -> None:
    """Two calls differ; a copy through the state dictionary draws what the cell would have drawn."""
    cell, inputs = IntegrateCell(spread=0.3, seed=4), currents(1.0)
    first, copy = cell(inputs)[0], IntegrateCell(spread=0.3)
    copy.load_state_dict(cell.state_dict())
    second = cell(inputs)[0]
    assert not torch.equal(first, second)
    assert torch.equal(copy(inputs)[0], second)
    change = WallCell(spread=0.3).change(torch.zeros(1), torch.ones(1), torch.tensor([-1.0, 0.0, 2.0]))
    torch.testing.assert_close(change / change[1], torch.tensor([0.7, 1.0, 1.6]))


def test_surrogates_are_derivatives_at_their_values() -> None:
    """Hand-computed values, through autograd."""
    for curve, expected in (
        (Surrogate("superspike", 10.0), 1 / 9.0),
        (Surrogate("arctangent", 10.0, 2.0), 0.4),
        (Surrogate("triangle", 2.0, 3.0), 1.8),
        (Surrogate("box", 2.0, 3.0), 3.0),
    ):
        x = torch.tensor([0.2], requires_grad=True)
        spike(x, curve).sum().backward()
        assert x.grad is not None and float(x.grad) == pytest.approx(expected)
    with pytest.raises(InputError, match="slope and amplitude must be positive"):
        Surrogate(slope=0.0)
    with pytest.raises(InputError, match="leak must be between 0 and 1"):
        LeakyCell(leak=2.0)


@pytest.mark.slow
def test_lif_is_that_of_norse() -> None:
    """Spikes, potentials and gradients with its default parameters; its surrogate gradient ignores its slope."""
    norse = pytest.importorskip("norse.torch")
    inputs = currents(1.2).double().requires_grad_()
    theirs, state, spikes, gradient = norse.LIFCell(norse.LIFParameters(alpha=torch.as_tensor(100.0))), None, [], None
    for step in inputs:
        out, state = theirs(step, state)
        spikes.append(out)
    weights = torch.linspace(-1, 1, STEPS, dtype=torch.float64)[:, None, None]
    (torch.stack(spikes) * weights).sum().backward()
    gradient, inputs.grad = inputs.grad, None
    ours, last = LeakyCell(surrogate=Surrogate(slope=1.0))(inputs)
    (ours * weights).sum().backward()
    assert ours.sum() > 100
    assert torch.equal(ours, torch.stack(spikes))
    assert state is not None
    torch.testing.assert_close(last.value, state.v)
    torch.testing.assert_close(inputs.grad, gradient, rtol=1e-4, atol=1e-8)


@pytest.mark.slow
@pytest.mark.parametrize("reset", ["zero", "subtract"])
def test_lif_is_that_of_snntorch(reset: Reset) -> None:
    """Spikes, potentials and gradients of its ``Leaky``, whose reset is part of the next step or of the same."""
    snntorch = pytest.importorskip("snntorch")
    inputs = currents(0.2).requires_grad_()
    curve = snntorch.surrogate.fast_sigmoid(slope=25)
    later = reset == "zero"
    theirs = snntorch.Leaky(beta=0.9, spike_grad=curve, reset_mechanism=reset, reset_delay=later)
    potential, spikes = theirs.init_leaky(), []
    for step in inputs:
        out, potential = theirs(step, potential)
        spikes.append(out)
    torch.stack(spikes).cumsum(0).sum().backward()
    gradient, inputs.grad = inputs.grad, None
    cell = LeakyCell(1.0, 0.1, 0.0, reset=reset, gradient_through_reset=not later, surrogate=Surrogate(slope=25.0))
    ours, last = cell(inputs)
    ours.cumsum(0).sum().backward()
    assert ours.sum() > 100
    assert torch.equal(ours, torch.stack(spikes))
    potential = potential * (potential <= 1.0) if later else potential
    torch.testing.assert_close(last.value, potential, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(inputs.grad, gradient, rtol=1e-3, atol=1e-3)
