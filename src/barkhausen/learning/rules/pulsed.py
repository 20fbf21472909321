"""Rules on devices that identical pulses move: pulsed SGD, mixed precision, blind pulses, and write-verify."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn

from barkhausen.core.config import Count, Positive, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.margin import DefaultMargin
from barkhausen.learning.rules.base import Learner
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.registry import PULSES, RULES, LearnerParts, Rule
from barkhausen.synapse.pulsed.array import PulsedArray
from barkhausen.synapse.pulsed.kernel import MASK, Key, key_from, moved, requested

PURPOSES = 4
"""Number of keys of a layer at a step."""

UPKEEP = 3
"""Purpose of the key of refresh and carry."""

MOST_PULSES = 31
"""Largest number of pulses of one update, as in aihwkit's default."""


class PulsedLearner(Learner):
    """Base of rules on devices moved by pulses.

    Layers whose latent weight needs no gradient are left alone.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of the pulses.
        most: Largest number of pulses of a device at one step.

    Raises:
        InputError: As :class:`.Learner`, or a device is not moved by pulses, or ``most`` is less than 1.
    """

    arrays = PulsedArray
    devices = "devices moved by pulses (a PulsedDevice)"

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        most: int = MOST_PULSES,
    ) -> None:
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise InputError(f"most = {most!r}: must be a whole number of pulses, 1 or more")
        super().__init__(optimizer, model, generator)
        self.most = most

    @torch.no_grad()
    def update_devices(self) -> None:
        """Give the devices of all layers that learn the pulses of this step."""
        self.key = key_from(self.generator)
        for number, layer in enumerate(self.layers):
            if layer.latent_weight.requires_grad:
                self.update_layer(layer, number)
                layer.synapses.after_step(self.key_of(number, UPKEEP))

    def key_of(self, number: int, purpose: int = 0) -> Key:
        """Key of the random numbers of a layer at this step, one for each purpose."""
        return (self.key[0] + PURPOSES * number + purpose) & MASK, self.key[1]

    @abstractmethod
    def update_layer(self, layer: SynapseLayer, number: int) -> None:
        """Give the devices of one layer the pulses of this step."""


class PulsedSGD(PulsedLearner):
    """Pulsed SGD: every update becomes a whole number of pulses, rounded at random, and nothing else is kept.

    The step of the optimiser asks for a change Δ of each weight. The device gets n pulses of the sign of Δ, where n is
    |Δ| over the mean step at w = 0, rounded up or down at random so that its mean is exact (as aihwkit's stochastic
    pulse trains, whose coincidences have the same mean; Gokmen, Vlasov, Front. Neurosci. 10, 333 (2016)). What the
    device does with them decides the weight; the latent weight is set to it, so there is no digital copy that
    accumulates. Use it in place of the optimiser, as :class:`.InSitu`.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of rounding and pulses.
        most: Largest number of pulses of a device at one step.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        most: int = MOST_PULSES,
    ) -> None:
        super().__init__(optimizer, model, generator, most=most)
        self._seen: list[tuple[int, int]] = []
        self.before_step()

    @torch.no_grad()
    def before_step(self) -> None:
        """Start from the weights of the devices, which loading a state or programming may have changed."""
        super().before_step()
        # What torch writes in place raises the version; another tensor has another identity.
        seen = [(id(layer.synapses.weight), layer.synapses.weight._version) for layer in self.layers]
        if seen != self._seen:
            for layer in self.layers:
                layer.latent_weight.copy_(layer.synapses.weight)
            self._seen = seen

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_seen": []}

    def update_layer(self, layer: SynapseLayer, number: int) -> None:
        """Turn the step of the optimiser into pulses."""
        array: PulsedArray = layer.synapses
        wanted, held = layer.latent_weight.detach().view(-1), array.weight.view(-1)
        key = self.key_of(number)
        index, pulses = requested(wanted, held, array.kind.per_unit, self.most, key, array.lists)
        array.pulse_at(index, pulses, key=self.key_of(number, 1), follow=wanted)


class _Accumulating(PulsedLearner):
    """Base of rules that accumulate updates in latent weights and give pulses where these have moved."""

    blind: bool

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        quantum: float | None = None,
        most: int = MOST_PULSES,
    ) -> None:
        if quantum is not None and not quantum > 0:
            raise InputError(f"quantum = {quantum}: must be positive")
        super().__init__(optimizer, model, generator, most=most)
        self.quantum = quantum
        self.marks: list[Tensor] = []
        """Latent weights at the last pulse of each device; made at the first step."""

    def before_step(self) -> None:
        """Take the latent weights as marks before the first step."""
        super().before_step()
        if not self.marks:
            self.marks = self._fresh_marks()

    def _fresh_marks(self) -> list[Tensor]:
        return [layer.latent_weight.detach().flatten().clone() for layer in self.layers]

    def update_layer(self, layer: SynapseLayer, number: int) -> None:
        """Give pulses where the latent weight has moved by more than a quantum."""
        array: PulsedArray = layer.synapses
        latent = layer.latent_weight.detach().view(-1).clamp_(-1.0, 1.0)
        mark = self.marks[number]
        if mark.device != latent.device or mark.dtype != latent.dtype:
            mark = self.marks[number] = mark.to(latent)
        quantum = array.kind.step if self.quantum is None else self.quantum
        index, pulses = moved(latent, mark, quantum, self.most, array.lists, blind=self.blind)
        array.pulse_at(index, pulses, key=self.key_of(number))

    def state_dict(self) -> dict[str, Any]:
        """State of the optimiser, with the marks under ``pulsed``."""
        return {**super().state_dict(), "pulsed": {"marks": list(self.marks)}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the optimiser's state, or that of a bare optimiser."""
        rest = dict(state_dict)
        saved = rest.pop("pulsed", None)
        if saved is not None and saved["marks"]:
            self.marks = self._fresh_marks()
            if [tuple(mark.shape) for mark in saved["marks"]] != [tuple(mark.shape) for mark in self.marks]:
                raise ValueError("the marks of its latent weights have other sizes")
            for mark, value in zip(self.marks, saved["marks"], strict=True):
                mark.copy_(value)
        super().load_state_dict(rest)


class MixedPrecision(_Accumulating):
    """Mixed precision: updates accumulate digitally, and each whole quantum of them is a pulse.

    A digital sum χ of the updates is kept of each device. Where |χ| is above the quantum ε, the device gets
    trunc(χ/ε) pulses and χ is reduced by as many quanta, whatever the pulses did; no device is read (Nandakumar et al.,
    Front. Neurosci. 14, 406 (2020)).

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of the pulses.
        quantum: Change ε of a latent weight that is one pulse. Default: the mean step of the device at w = 0.
        most: Largest number of pulses of a device at one step.
    """

    blind = False


class BlindPulse(_Accumulating):
    """Blind update: one pulse wherever the latent weight has moved by more than a margin since the last one.

    The pulse has the sign of the movement. Neither its size nor the weight is known to the rule, and no device is read.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of the pulses.
        quantum: Movement of the latent weight that is one pulse. Default: the mean step of the device at w = 0.
        most: Without effect.
    """

    blind = True


class PulsedInSitu(PulsedLearner):
    """The margin rule with write-verify by pulses: every device is read at every step.

    Where a weight is outside the margin of its latent weight, the device gets the train of pulses that a typical device
    needs; it is read again and corrected, up to the number of rounds of the layer.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of the pulses.
        margin: Tolerance margin in weight units. Default: that of each layer.
        rounds: Largest number of rounds. Default: that of each layer.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        margin: float | None = None,
        rounds: int | None = None,
    ) -> None:
        super().__init__(optimizer, model, generator)
        self.margin, self.rounds = margin, rounds

    def update_layer(self, layer: SynapseLayer, number: int) -> None:
        """Write the devices that are outside the margin."""
        array: PulsedArray = layer.synapses
        latent = layer.latent_weight.detach().clamp_(-1.0, 1.0)
        margin = array.margin if self.margin is None else self.margin
        due = (latent - array.weight).abs_() > margin
        array.write(latent, self.generator, where=due, rounds=self.rounds, margin=margin)


DigitalBits = Annotated[int, Field(ge=2, le=32)]
"""Bits of a digital number that is kept of each device."""


class PulsedOptions(StrictParameters):
    """The table ``[rule]`` of a recipe for pulsed SGD."""

    most: Count = MOST_PULSES
    """Largest number of pulses of a device at one step."""


class StoredOptions(PulsedOptions):
    """Options of rules that keep a digital number of each device."""

    bits: DigitalBits = 16
    """Bits of that number, a sum of updates or a filter, for the account of energy."""

    def assumed(self) -> list[str]:
        """Assumption behind the energy."""
        return [f"sums and filters are computed in single precision, and stored with {self.bits} bits in the account"]


class AccumulatingOptions(StoredOptions):
    """The table ``[rule]`` of a recipe for rules that accumulate updates."""

    quantum: Positive | None = None
    """Movement of a latent weight that is one pulse. Default: the mean step of the device at w = 0."""


class VerifiedOptions(StrictParameters):
    """The table ``[rule]`` of a recipe for write-verify by pulses."""

    rounds: Count = 3
    """Largest number of trains of pulses of one event; all but the last are verified."""


def learner_of(kind: Callable[..., PulsedLearner], *names: str) -> Callable[[LearnerParts], PulsedLearner]:
    """Function from the parts of a run to a learner that takes some options of the rule by their names.

    Args:
        kind: Class of the learner.
        names: Options that it takes.
    """

    def learner(parts: LearnerParts) -> PulsedLearner:
        given = {name: getattr(parts.options, name) for name in names}
        return kind(parts.optimizer, parts.model, parts.generator, **given)

    return learner


def _verified(parts: LearnerParts) -> PulsedInSitu:
    return PulsedInSitu(parts.optimizer, parts.model, parts.generator, margin=parts.margin, rounds=parts.options.rounds)


def _accumulator(options: AccumulatingOptions, states: int) -> Monitoring:
    # The latent weight and its value at the last pulse, whose difference is compared with a quantum.
    return Monitoring(
        latent_bits=options.bits,
        copy_bits=options.bits,
        copy_reads_per_step=1.0,
        copy_writes_per_event=1.0,
        comparisons_per_step=1.0,
    )


def pulsed_rule(name: str, label: str, learner: Callable[[LearnerParts], torch.optim.Optimizer], **how: Any) -> Rule:
    """Register a rule on devices moved by pulses."""
    common: dict[str, Any] = {
        "on_devices": True,
        "devices": PULSES,
        "programs_while_training": True,
        "histograms": ("after the initial programming", "after training"),
        "margin": DefaultMargin(spacings=0.8, most=10.0, least=0.0),
        "colours": "cool",
    }
    return RULES.register(name, Rule(name=name, label=label, learner=learner, **{**common, **how}))


PULSED_SGD = pulsed_rule(
    "pulsed-sgd",
    "pulsed SGD",
    learner_of(PulsedSGD, "most"),
    options=PulsedOptions,
    latent_weights=False,
    monitoring=lambda options, states: Monitoring(latent_bits=0),
    defaults={"optimizer": {"name": "sgd", "momentum": 0.0}},
    latent_rate=0.1,
)
MIXED = pulsed_rule(
    "mixed-precision",
    "mixed precision",
    learner_of(MixedPrecision, "quantum", "most"),
    options=AccumulatingOptions,
    monitoring=_accumulator,
    assumed=lambda options: options.assumed(),
)
BLIND = pulsed_rule(
    "blind-pulse",
    "blind pulse",
    learner_of(BlindPulse, "quantum", "most"),
    options=AccumulatingOptions,
    monitoring=_accumulator,
    assumed=lambda options: options.assumed(),
)
VERIFIED = pulsed_rule(
    "pulsed-in-situ",
    "in-situ by pulses",
    _verified,
    options=VerifiedOptions,
    monitoring=lambda options, states: Monitoring(reads_per_step=1.0),
)
