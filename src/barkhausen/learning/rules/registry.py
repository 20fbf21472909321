"""Registry of learning rules: how each makes its learner, and what runs, tables and pages need to know about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn

from barkhausen.core.config import NoOptions, Parameters
from barkhausen.core.registry import Registry
from barkhausen.learning.margin import IN_SITU, DefaultMargin
from barkhausen.learning.networks.float_layers import FloatLayers
from barkhausen.learning.rules.margin_schedule import MarginSchedule
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.synapse.decay import Decay
from barkhausen.synapse.energy import EnergyBreakdown
from barkhausen.synapse.pulsed.array import PulsedArray

STATES, PULSES = "states", "pulses"
"""Kinds of devices that rules work on: reset and programmed to a state, or moved by pulses."""


@dataclass(frozen=True, eq=False)
class LearnerParts:
    """Objects from which a rule builds its learner."""

    optimizer: torch.optim.Optimizer
    """Optimiser over all parameters; the latent weights of synapse layers are a parameter group of their own."""
    model: nn.Module
    device: Any
    """Statistics of the synapses; None for a rule without devices."""
    margin: float
    """Tolerance margin in weight units."""
    transfer_attempts: int
    """Write-verify attempts when chips are programmed after training."""
    generator: torch.Generator
    """Random stream of programming noise."""
    decay: Decay | None
    """Time that passes after each step, in which devices may lose their states; None if they keep them."""
    options: Any
    """The rule's own options: the recipe's table ``[rule]`` as an instance of ``Rule.options``."""
    margin_schedule: MarginSchedule | None = None
    """Factor on the margin at each step, for rules that program while training; None for a factor of 1."""


@dataclass(frozen=True)
class Rule:
    """One learning rule.

    Attributes:
        name: Value of ``mode`` in a recipe.
        label: Name in tables and on pages.
        about: Sentences about the rule on pages; the families of rules on devices are described there already.
        on_devices: Whether the network's weights are held by devices. A rule without devices trains float layers.
        baseline: Whether its networks have ordinary weights, the baseline beside which others stand.
        devices: Kind of the devices: ``states`` or ``pulses``.
        learner: Function that returns the optimiser whose ``step`` applies the rule.
        layers: Function from the rule's options and a random stream to the float layers that networks are built of.
            Default: :class:`.FloatLayers`.
        programs_while_training: Whether devices are programmed at training steps. If so, the trained network exists on
            its devices, and programming events are recorded after every epoch.
        decays: Whether its learner lets devices decay (:attr:`LearnerParts.decay`).
        measured_on_new_chips: Whether accuracy, counts and energy of a run are those of chips programmed afterwards.
            Otherwise they are those of the trained network itself.
        histograms: Meanings of the two weight histograms that a run on devices keeps.
        margin: Rule for the tolerance margin of a recipe that states none.
        latent_rate: Learning rate of the latent weights of a recipe that states none. It does not depend on the device:
            latent weights move over [−1, 1] whatever the number of levels.
        defaults: Tables of a recipe whose defaults differ under this rule.
        prepare: Function that makes of a network of float layers what a rule without characterised devices trains, from
            the network, the options and a random stream. Default: the network itself.
        energy: Energy in J of the updates that a learner has counted, from the learner and the options; None where
            none is counted, or where the devices of the layers count it.
        assumed: Function from the options to assumptions behind the numbers of the rule, a line each.
        options: Model of the recipe's table ``[rule]``.
        monitoring: Function from the options and the number of states to what the rule reads of its devices at a step
            and stores beside them. Default: a latent weight of each.
        second_arrays: Function from a learner to arrays of devices that it keeps beside those of the weights.
        latent_weights: Whether a digital latent weight of each device is kept from one step to the next.
        colours: Family of colours in figures.
        kept: Function from the trained network and samples to what the summary keeps of it under ``rule``.
    """

    name: str
    label: str
    on_devices: bool
    learner: Callable[[LearnerParts], torch.optim.Optimizer]
    about: str = ""
    baseline: bool = False
    devices: str = STATES
    layers: Callable[[Any, torch.Generator], FloatLayers] = lambda options, generator: FloatLayers(generator)
    programs_while_training: bool = False
    decays: bool = False
    measured_on_new_chips: bool = False
    histograms: tuple[str, str] = ("before training", "after training")
    margin: DefaultMargin = IN_SITU
    latent_rate: float = 6e-3
    defaults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    prepare: Callable[[nn.Module, Any, torch.Generator], nn.Module] = lambda model, options, generator: model
    energy: Callable[[Any, Any], EnergyBreakdown] | None = None
    assumed: Callable[[Any], list[str]] = lambda options: []
    options: type[Parameters] = NoOptions
    monitoring: Callable[[Any, int], Monitoring] = lambda options, states: Monitoring()
    second_arrays: Callable[[Any], list[PulsedArray]] = lambda learner: []
    latent_weights: bool = True
    colours: Literal["cool", "warm", "grey", "other"] = "other"
    kept: Callable[[nn.Module, Tensor], dict[str, Any]] | None = None


RULES: Registry[Rule] = Registry("learning rule", "mode")
"""Learning rules, in the order of tables and figures."""
