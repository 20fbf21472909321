"""Split precision: each weight is a coarse and a fine device, and training updates the fine one alone."""

from __future__ import annotations

from typing import Annotated, Any

import torch
from pydantic import Field, model_validator
from torch import nn

from barkhausen.core.config import Count, LaterKeys, NotNegative, Positive
from barkhausen.core.errors import InputError
from barkhausen.learning.compiled.split import split_update
from barkhausen.learning.layers.sample_updates import SampleUpdates
from barkhausen.learning.layers.ternary_gradient import TERNARY, with_ternary_gradients
from barkhausen.learning.rules.base import WrappedOptimizer
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse import EnergyBreakdown

MOST_BITS = 22
"""Binary digits after the point that single precision holds exactly for weights up to 2."""


class SplitPrecision(WrappedOptimizer):
    """The split-precision rule around any torch optimiser (Desai, Kaushik, Sharda, Bhowmik 2022).

    A weight on [−1, 1] is the sum of a high part of m binary digits and a low part of t − m digits and a sign, each
    held by a device of its own. After each step of the optimiser, which asks for a change −δ:

    1. the weight is split into its high part, round(w 2^m)/2^m, and its low part, rounded to 2^−t;
    2. δ is clipped to ±2^−m and rounded toward zero to a multiple of the quantum 2^−t;
    3. the low part less δ is clipped to ±2^−(m+1), which is the range of its device;
    4. at every r-th step a low part at the end of its range gets one more quantum, so that the next split carries it
       into the high part.

    With a cycle-to-cycle spread σ the change of each weight is multiplied by a factor from N(1, σ); the next update
    rounds the weight again. Biases are split like weights. For batches of one sample as published; a batch makes one
    update.

    With ``per_sample`` each sample of a batch makes an update of its own: δ is clipped and rounded for each (2), at the
    weights before the batch; the sum of the δ is then taken from the low part at once (3), and a step is a batch (4).
    Other than with batches of one, all gradients of a batch are at the same weights, and the low part is clipped once a
    batch. Batches of r samples with a carry at each carry as often as batches of one at every r-th. Energy is that of
    the updates of single samples.

    Every update of n quanta takes n² times the energy of one quantum, because the current grows with n. It counts
    before the low part is clipped; carries are not counted.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Model of layers with ternary gradients (:func:`.with_ternary_gradients`), whose weights and biases are
            split. Other parameters are trained by the optimiser alone.
        generator: Random stream of the cycle-to-cycle spread.
        bits: Binary digits t of the whole weight after the point.
        high_bits: Those of its high part, m.
        carry_every: Steps r from one carry to the next.
        cycle_spread: Cycle-to-cycle spread σ of the change of a weight.
        per_sample: Whether each sample of a batch makes an update of its own. The optimiser must be plain gradient
            descent with one rate for all.

    Raises:
        InputError: The model has no such layer, a number is out of range, or the optimiser is another one.
    """

    programs_devices = True

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        bits: int = 15,
        high_bits: int = 9,
        carry_every: int = 10,
        cycle_spread: float = 0.0,
        per_sample: bool = False,
    ) -> None:
        if not 1 <= high_bits < bits <= MOST_BITS:
            raise InputError(f"bits = {bits}, high_bits = {high_bits}: need 1 <= high_bits < bits <= {MOST_BITS}")
        if carry_every < 1:
            raise InputError(f"carry_every = {carry_every}: must be 1 or more")
        if not cycle_spread >= 0:
            raise InputError(f"cycle_spread = {cycle_spread}: must be zero or positive")
        self.parameters = _split_parameters(model)
        if not self.parameters:
            raise InputError("the model has no layer with ternary gradients (with_ternary_gradients makes them)")
        super().__init__(optimizer)
        self.model, self.generator = model, generator
        self.bits, self.high_bits, self.carry_every, self.cycle_spread = bits, high_bits, carry_every, cycle_spread
        self.steps = 0
        self.squares = torch.zeros((), dtype=torch.float64)
        """Sum of the squares of all updates, in quanta."""
        self.updates = torch.zeros((), dtype=torch.int64)
        """Number of all updates of single weights."""
        self.samples: SampleUpdates | None = self._sample_updates() if per_sample else None
        self._lay_out()

    def _sample_updates(self) -> SampleUpdates:
        """Give all layers what makes updates of single samples."""
        groups, usual = self.optimizer.param_groups, isinstance(self.optimizer, torch.optim.SGD)
        if not usual or any(group["momentum"] or group["weight_decay"] for group in groups):
            raise InputError("per_sample needs plain gradient descent: optimizer.name = 'sgd', momentum and decay 0")
        if len({group["lr"] for group in groups}) > 1:
            raise InputError("per_sample needs one learning rate for all parameters (optimizer.bias_factor = 1)")
        made = SampleUpdates(2.0**-self.bits, 2.0**-self.high_bits, groups, self.parameters[0].device)
        for layer in self.model.modules():
            if isinstance(layer, TERNARY):
                layer.samples = made
        return made

    def _lay_out(self) -> None:
        """Make the parameters views of one flat tensor, of which another holds the values before a step."""
        self.parameters = _split_parameters(self.model)
        first = self.parameters[0]
        self.wanted = torch.empty(sum(p.numel() for p in self.parameters), dtype=first.dtype, device=first.device)
        start = 0
        for parameter in self.parameters:
            piece = self.wanted[start : start + parameter.numel()]
            start += parameter.numel()
            view = piece.view(parameter.shape)
            if parameter.dim() == 4:
                # Kernels with the channels last: convolutions of single samples are faster so.
                outputs, inputs, rows, columns = parameter.shape
                view = piece.view(outputs, rows, columns, inputs).permute(0, 3, 1, 2)
            view.copy_(parameter.data)
            parameter.data = view
        self.held = self.wanted.clone()
        self._pointers = [parameter.data_ptr() for parameter in self.parameters]
        self.squares, self.updates = self.squares.to(first.device), self.updates.to(first.device)

    def __getstate__(self) -> dict[str, Any]:
        # A copy has its own tensors, which might by chance lie at the old addresses.
        return {**super().__getstate__(), "_pointers": []}

    @torch.no_grad()
    def before_step(self) -> None:
        """Remember the weights, which the model's own loading and copying may have changed."""
        if self._pointers != [parameter.data_ptr() for parameter in self.parameters]:
            self._lay_out()
        self.held.copy_(self.wanted)

    @torch.no_grad()
    def update_devices(self) -> None:
        """Give the weights what the rule makes of the step of the optimiser."""
        carry = self.steps % self.carry_every == 0
        if self.samples is not None:
            # The optimiser has summed whole quanta, up to the rounding of single precision.
            fine = 2.0**self.bits
            self.wanted.sub_(self.held).mul_(fine).round_().div_(fine).add_(self.held)
        squares, updates = split_update(self.wanted, self.held, self.bits, self.high_bits, carry=carry)
        if self.samples is not None:
            squares, updates = self.samples.taken()
        self.squares += squares
        self.updates += updates
        if self.cycle_spread > 0:
            change = self.wanted - self.held
            noise = torch.randn(change.shape, generator=self.generator, device=change.device)
            self.wanted.addcmul_(change, noise, value=self.cycle_spread)
        self.steps += 1

    def energy(self, quantum: float) -> EnergyBreakdown:
        """Energy in J of all updates.

        Args:
            quantum: Energy of an update by one quantum in J.
        """
        return EnergyBreakdown({"updates": float(self.squares) * quantum}, {"updates": "updates of the fine devices"})

    def state_dict(self) -> dict[str, Any]:
        """State of the optimiser, with the steps made and what was counted under ``split``."""
        counted = {"steps": self.steps, "squares": float(self.squares), "updates": int(self.updates)}
        return {**super().state_dict(), "split": counted}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the optimiser's state, or that of a bare optimiser."""
        rest = dict(state_dict)
        counted = rest.pop("split", {"steps": 0, "squares": 0.0, "updates": 0})
        self.steps = int(counted["steps"])
        self.squares.fill_(float(counted["squares"]))
        self.updates.fill_(int(counted["updates"]))
        super().load_state_dict(rest)
        if self.samples is not None:
            self.samples.groups = self.optimizer.param_groups


def _split_parameters(model: nn.Module) -> list[nn.Parameter]:
    """Weights and biases of layers with ternary gradients, each once."""
    layers = [layer for layer in model.modules() if isinstance(layer, TERNARY)]
    found: dict[int, nn.Parameter] = {}
    for layer in layers:
        for parameter in layer.parameters(recurse=False):
            if parameter.requires_grad:
                found[id(parameter)] = parameter
    return list(found.values())


class SplitPrecisionOptions(LaterKeys):
    """The table ``[rule]`` of a recipe."""

    bits: Annotated[int, Field(ge=2, le=MOST_BITS)] = 15
    """Binary digits of the whole weight after the point."""
    high_bits: Annotated[int, Field(ge=1, lt=MOST_BITS)] = 9
    """Those of its coarse device; the fine one has the others and a sign."""
    carry_every: Count = 10
    """Steps from one carry of saturated fine devices to the next."""
    threshold: Positive = 0.1
    """Inputs of a smaller size count as zero in the gradient of the weights, others as −1 or 1."""
    per_sample: bool = False
    """Whether each sample of a batch makes an update of its own, clipped and rounded by itself, at shared weights."""
    cycle_spread: NotNegative = 0.0
    """Cycle-to-cycle spread of the change of a weight, relative to it."""
    device_spread: NotNegative = 0.0
    """Spread between devices of the factor on a weight."""
    device_spread_of_convolutions: NotNegative | None = None
    """The same in convolutions. Default: ``device_spread``."""
    current: Positive = 100e-6
    """Current of a pulse that moves a fine device by one quantum in A."""
    resistance: Positive = 50.0
    """Resistance of its write path in ohm."""
    duration: Positive = 3e-9
    """Duration of the pulse in s."""

    @classmethod
    def later(cls) -> tuple[str, ...]:
        """Keys that came later."""
        return ("per_sample",)

    @model_validator(mode="after")
    def _some_digits_are_low(self) -> SplitPrecisionOptions:
        if self.high_bits >= self.bits:
            raise ValueError(f"high_bits = {self.high_bits}: must be below bits = {self.bits}")
        return self

    @property
    def quantum(self) -> float:
        """Energy of an update by one quantum in J."""
        return self.current**2 * self.resistance * self.duration

    def assumed(self) -> list[str]:
        """Assumptions behind the energy, and about batches."""
        batches = (
            "each sample of a batch makes an update of its own, at the weights before the batch; the range of the fine "
            "device clips their sum alone"
        )
        return [
            *([batches] if self.per_sample else []),
            f"an update of n quanta takes n² x {self.quantum:.3g} J (current {self.current:.3g} A a quantum, "
            f"{self.resistance:.3g} ohm, {self.duration:.3g} s); carries, reads and the digital gradient take none",
        ]


def _prepared(model: nn.Module, options: SplitPrecisionOptions, generator: torch.Generator) -> nn.Module:
    return with_ternary_gradients(
        model,
        threshold=options.threshold,
        spread=options.device_spread,
        spread_of_convolutions=options.device_spread_of_convolutions,
        generator=generator,
    )


def _learner(parts: LearnerParts) -> SplitPrecision:
    options: SplitPrecisionOptions = parts.options
    return SplitPrecision(
        parts.optimizer,
        parts.model,
        parts.generator,
        bits=options.bits,
        high_bits=options.high_bits,
        carry_every=options.carry_every,
        cycle_spread=options.cycle_spread,
        per_sample=options.per_sample,
    )


def _energy(learner: Any, options: SplitPrecisionOptions) -> EnergyBreakdown:
    counted: EnergyBreakdown = learner.energy(options.quantum)
    return counted


SPLIT_PRECISION = RULES.register(
    "split-precision",
    Rule(
        name="split-precision",
        label="split precision",
        about="Each weight is the sum of a coarse and a fine device. Training updates the fine one alone; what is "
        "beyond its range is carried into the coarse one.",
        on_devices=False,
        learner=_learner,
        prepare=_prepared,
        energy=_energy,
        assumed=lambda options: options.assumed(),
        defaults={
            "optimizer": {"name": "sgd", "momentum": 0.0, "schedule": "exponential"},
            "network": {"normalisation": "none"},
        },
        options=SplitPrecisionOptions,
        colours="cool",
    ),
)
