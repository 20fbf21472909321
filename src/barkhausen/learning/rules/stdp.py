"""Spike-timing-dependent plasticity by stochastic steps of domain walls, with a teacher and lateral inhibition."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from barkhausen.core.config import NotNegative, Positive, StrictParameters
from barkhausen.core.errors import InputError
from barkhausen.core.files.kinds import names_device_file
from barkhausen.device.of_kind import checked_digest
from barkhausen.device.pulses.file import named_pulsed_device, pulsed_names
from barkhausen.device.technology import SHIPPED
from barkhausen.learning.networks.spiking import SpikingNetwork
from barkhausen.learning.rules.base import OwnUpdates
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.learning.spiking.encoders import Poisson
from barkhausen.learning.stdp import PlasticNetwork, Presentation, WallSteps, Window
from barkhausen.synapse import EnergyBreakdown

Noise = Literal["none", "learning", "inference", "both"]

NETWORK = {
    "kind": "spiking",
    "hidden": [],
    "normalisation": "none",
    "options": {
        "cell": "lif",
        "cell_options": {"gain": 0.05, "leak": 0.05, "decay": 0.0},
        "encoder": "poisson",
        "read_out": "spikes",
        "steps": 100,
        "offset": -2.0,
        "scale": 4.0,
        "bias": False,
    },
}
"""Network of a recipe that names none: leaky neurons of 20 ms, 100 ms a sample, rates from 0 to 100 Hz for inputs from
−2 to 2."""


class StdpOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    potentiation: Annotated[float, Field(gt=0, le=1)] = 0.02
    """A₊: change by a pair without delay, as a share of the range of strengths."""
    depression: Annotated[float, Field(gt=0, le=1)] = 0.021
    """A₋."""
    time_constant: Annotated[Positive, Field(ge=1e-4, le=10.0)] = 20e-3
    """τ of the window in s."""
    spread: NotNegative | None = None
    """Relative standard deviation σ of the steps of walls, of the declared law Δs (1 + σ ξ). Default: 0.3."""
    device: str | None = None
    """Device moved by pulses whose steps walls make instead: a shipped or textbook one, or a device file."""
    device_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(default=None, validate_default=True)
    """Digest of the device file; another file is refused. Default: that of the file at the start."""
    noise: Noise = "learning"
    """Where steps are random: in ``learning``, in ``inference`` (every pass has strengths that were written anew,
    without verification), in ``both`` or in ``none``."""
    chips: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Chips that learn at once from the same samples, each with walls and input spikes of its own. The answer is that
    of their mean probability."""
    lead: NotNegative = 6.0
    """Spikes by which the neuron of the class must lead; with less the sample is taught."""
    confidence: Positive = 1.4
    """Logit of a spike."""
    drive: Positive = 3.0
    """Current of an input spike at strength 1."""
    inhibition: NotNegative = 4.0
    """Current that a spike takes off every other neuron in the next step."""

    @field_validator("device")
    @classmethod
    def _instead_of_a_law(cls, given: str | None, info: ValidationInfo) -> str | None:
        if given is not None and info.data.get("spread") is not None:
            raise ValueError("spread belongs to the declared law; with a device, leave it out")
        return given

    @field_validator("device_sha256")
    @classmethod
    def _of_this_file(cls, given: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("device")
        if name is None:
            return None
        try:
            named_pulsed_device(name)
        except InputError as error:
            raise ValueError(str(error)) from None
        file = SHIPPED / f"{name}.nc" if name in pulsed_names() else Path(name) if names_device_file(name) else None
        if file is None:
            return None
        return checked_digest(name, file, given)

    def wall_steps(self) -> WallSteps:
        """Distribution of the steps of walls."""
        if self.device is not None:
            return WallSteps.of_device(named_pulsed_device(self.device))
        return WallSteps.declared(0.3 if self.spread is None else self.spread)


class StdpLearner(OwnUpdates):
    """Learner of a plastic network.

    Args:
        optimizer: Optimiser whose parameter groups it takes over; it makes no step.
        network: The network.
        generator: Random stream of input spikes and steps.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, network: PlasticNetwork, generator: torch.Generator) -> None:
        super().__init__(optimizer.param_groups, optimizer.defaults)
        self.network, self.generator = network, generator

    def learn(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Present samples one after the other; their outputs before each was learnt."""
        if labels.is_floating_point():
            raise InputError("mode = 'stdp': learns classes, not numbers")
        return self.network.learn(inputs, labels, self.generator)


def _network(model: nn.Module, options: StdpOptions, generator: torch.Generator) -> nn.Module:
    """A plastic network with encoder and neurons of a spiking one.

    Raises:
        InputError: The network is another one.
    """
    if not isinstance(model, SpikingNetwork) or model.hidden or not model.counting:
        raise InputError(
            "mode = 'stdp': needs network.kind = 'spiking' with hidden = [] and options.read_out = 'spikes'"
        )
    if not isinstance(model.encoder, Poisson):
        raise InputError("mode = 'stdp': needs network.options.encoder = 'poisson'")
    assert isinstance(model.output, nn.Linear)
    return PlasticNetwork(
        model.output.in_features,
        model.output.out_features,
        Presentation(model.encoder, model.output_cell, options.drive, options.inhibition),
        Window(options.potentiation, options.depression, options.time_constant),
        options.wall_steps(),
        chips=options.chips,
        lead=options.lead,
        confidence=options.confidence,
        noisy_learning=options.noise in ("learning", "both"),
        noisy_inference=options.noise in ("inference", "both"),
        offset=model.offset,
        scale=model.scale,
        generator=generator,
    )


def _learner(parts: LearnerParts) -> torch.optim.Optimizer:
    assert isinstance(parts.model, PlasticNetwork)
    return StdpLearner(parts.optimizer, parts.model, parts.generator)


def _energy(learner: StdpLearner, options: StdpOptions) -> EnergyBreakdown:
    """Energy of the pulses of one chip, the mean over chips; none where the device gives none."""
    network = learner.network
    causes, whole = network.steps.energy, network.steps.pulse_change
    if not causes or whole is None:
        return EnergyBreakdown()
    up, down = (network.pulses / (whole * network.replicas)).tolist()
    return EnergyBreakdown(
        {cause: up * rise + down * fall for cause, (_, rise, fall) in causes.items()},
        {cause: label for cause, (label, _, _) in causes.items()},
    )


def _assumed(options: StdpOptions) -> list[str]:
    return [
        *options.wall_steps().assumed,
        f"window of pairs: A+ = {options.potentiation:g}, A- = {options.depression:g} of the range of strengths, "
        f"{options.time_constant * 1e3:g} ms",
        "a taught sample is presented once more with the same input spikes; the teacher drives the neuron of the class "
        "to spike at the end and the others at the start, and holds them silent in between",
        "strengths are from 0 to 1, all about the middle at first; neurons have equal thresholds that do not adapt",
    ]


def kept(model: nn.Module, inputs: Tensor) -> dict[str, Any]:
    """What a summary keeps of the network: strengths and the share of samples that were taught."""
    assert isinstance(model, PlasticNetwork)
    strength = model.strength.cpu()
    return {
        "chips": model.replicas,
        "taught_samples": float(model.taught) / model.replicas,
        "histogram": torch.histc(strength.float(), 50, 0.0, 1.0).int().tolist(),
        "chip_spread": float(strength.std(dim=0).mean()) if model.replicas > 1 else 0.0,
        "pulses_up": float(model.pulses[0]) / model.replicas,
        "pulses_down": float(model.pulses[1]) / model.replicas,
    }


STDP = RULES.register(
    "stdp",
    Rule(
        name="stdp",
        label="STDP",
        about="Strengths change by stochastic steps of walls, at the times of input and output spikes and under a "
        "teacher. There is no gradient.",
        on_devices=False,
        learner=_learner,
        options=StdpOptions,
        prepare=_network,
        defaults={"network": NETWORK},
        energy=_energy,
        assumed=_assumed,
        kept=kept,
        colours="warm",
    ),
)
