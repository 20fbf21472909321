"""All time steps of a cell, and normalisation at every time step, in compiled code for CPUs."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from barkhausen.core.compiled_library import INTEGER, POINTER, REAL, CompiledLibrary

LIBRARY = Path(__file__).parent.parent / "compiled" / "_spiking.so"

library = CompiledLibrary(
    LIBRARY,
    {
        "barkhausen_spiking_forward": ([INTEGER] * 2 + [POINTER] * 8 + [INTEGER] * 2 + [POINTER] * 4, None),
        "barkhausen_spiking_backward": (
            [INTEGER] * 2 + [POINTER] * 3 + [INTEGER] * 2 + [POINTER] * 6 + [INTEGER] * 2 + [POINTER],
            None,
        ),
        "barkhausen_step_norm": ([POINTER] + [INTEGER] * 3 + [REAL] + [POINTER] * 5, None),
        "barkhausen_step_norm_backward": ([POINTER] * 4 + [INTEGER] * 3 + [REAL] + [POINTER] * 4, None),
    },
)


@dataclass(frozen=True)
class Program:
    """What the compiled code has to know of a cell.

    Attributes:
        law: Number of the law of the state.
        ignores: Whether current is ignored from a spike until the state is back at zero.
        numbers: Numbers of the cell, in the order of the compiled code.
        tables: Tables of the mean step and of its standard deviation, for a tabulated law.
        shape: Number of the surrogate gradient.
        truncation: Steps after which the gradient is cut; 0 for never.
    """

    law: int
    ignores: bool
    numbers: Float[Tensor, " number"]
    tables: tuple[Tensor, ...]
    shape: int
    truncation: int

    @property
    def head(self) -> tuple[Any, ...]:
        """The first arguments of the compiled code."""
        tables: tuple[int | None, ...] = tuple(table.data_ptr() for table in self.tables) or (None, None)
        return self.law, int(self.ignores), self.numbers.data_ptr(), *tables


def serves(*tensors: Tensor | None) -> bool:
    """Whether the compiled code was built and supports these tensors: float32 on a CPU, outside of transformations."""
    return (
        all(x is None or (x.device.type == "cpu" and x.dtype == torch.float32) for x in tensors)
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
        and torch.autograd.forward_ad._current_level < 0
        and library() is not None
    )


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, noise: Tensor | None, state: tuple[Tensor, ...], program: Program) -> Tensor:
        start = state[0].clone()
        spikes, before, used, receptive = _forward(inputs, noise, state, program, keep=True)
        kept = (before, used, receptive, noise, start)
        ctx.save_for_backward(*(x for x in kept if x is not None))
        ctx.present = [x is not None for x in kept]
        ctx.program = program
        return spikes

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        saved = iter(ctx.saved_tensors)
        before, used, receptive, noise, start = (next(saved) if there else None for there in ctx.present)
        program: Program = ctx.program
        gradient = gradients[0].contiguous()
        to_inputs = torch.empty_like(gradient)
        _compiled().barkhausen_spiking_backward(
            *program.head, program.shape, program.truncation,
            *(_pointer(x) for x in (gradient, before, used, receptive, noise, start)),
            len(gradient), gradient[0].numel(), to_inputs.data_ptr(),
        )  # fmt: skip
        return to_inputs, None, None, None


def run(
    inputs: Float[Tensor, "time sample neuron"],
    noise: Float[Tensor, "time sample neuron"] | None,
    state: tuple[Tensor, Tensor, Tensor],
    program: Program,
) -> Float[Tensor, "time sample neuron"]:
    """Spikes of all steps. The state is changed in place; no gradient goes through it.

    Args:
        inputs: Input currents, contiguous.
        noise: Standard normal numbers; None for no noise.
        state: State, current and receptiveness of each neuron, contiguous.
        program: The cell.
    """
    if torch.is_grad_enabled() and inputs.requires_grad:
        spikes: Tensor = _Run.apply(inputs, noise, state, program)
        return spikes
    return _forward(inputs, noise, state, program, keep=False)[0]


def trace(
    inputs: Float[Tensor, "time sample neuron"],
    noise: Float[Tensor, "time sample neuron"] | None,
    state: tuple[Tensor, Tensor, Tensor],
    program: Program,
) -> tuple[Tensor, Tensor]:
    """Spikes, and states before the reset; otherwise as :func:`run`, without gradient."""
    spikes, before, _, _ = _forward(inputs, noise, state, program, keep=True)
    assert before is not None
    return spikes, before


def _forward(
    inputs: Tensor, noise: Tensor | None, state: tuple[Tensor, ...], program: Program, *, keep: bool
) -> tuple[Tensor, Tensor | None, Tensor | None, Tensor | None]:
    spikes = torch.empty_like(inputs)
    before = torch.empty_like(inputs) if keep else None
    used = torch.empty_like(inputs) if keep and program.law else None
    receptive = torch.empty_like(inputs) if keep and program.ignores else None
    _compiled().barkhausen_spiking_forward(
        *program.head, inputs.data_ptr(), _pointer(noise), *(x.data_ptr() for x in state), len(inputs),
        inputs[0].numel(), *(_pointer(x) for x in (spikes, before, used, receptive)),
    )  # fmt: skip
    return spikes, before, used, receptive


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, epsilon: float) -> tuple[Tensor, Tensor, Tensor]:
        steps, samples, features = x.shape
        mean, variance = x.new_empty(steps, features), x.new_empty(steps, features)
        out = torch.empty_like(x)
        _compiled().barkhausen_step_norm(
            x.data_ptr(), steps, samples, features, epsilon,
            *(tensor.data_ptr() for tensor in (weight, bias, mean, variance, out)),
        )  # fmt: skip
        ctx.save_for_backward(x, mean, variance, weight)
        ctx.epsilon = epsilon
        ctx.mark_non_differentiable(mean, variance)
        return out, mean, variance

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, mean, variance, weight = ctx.saved_tensors
        to_weight, to_bias, to_x = torch.zeros_like(weight), torch.zeros_like(weight), torch.empty_like(x)
        gradient = gradients[0].contiguous()
        _compiled().barkhausen_step_norm_backward(
            *(tensor.data_ptr() for tensor in (gradient, x, mean, variance)), *x.shape, ctx.epsilon,
            *(tensor.data_ptr() for tensor in (weight, to_weight, to_bias, to_x)),
        )  # fmt: skip
        return to_x, to_weight, to_bias, None


def step_norm(
    x: Float[Tensor, "time sample feature"], weight: Tensor, bias: Tensor, epsilon: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Values normalised over the samples of each time step, with mean and variance (of the population) by step."""
    out, mean, variance = _Norm.apply(x.contiguous(), weight, bias, epsilon)
    return out, mean, variance


def _pointer(x: Tensor | None) -> int | None:
    return None if x is None else x.data_ptr()


def _compiled() -> ctypes.CDLL:
    compiled = library()
    assert compiled is not None
    return compiled
