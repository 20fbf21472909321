"""Refresh of a network whose walls escape: the longest period that holds the accuracy, and its average power.

Three policies, all with the same period t_r:

- ``verify``: every t_r each synapse is read, and those outside the tolerance margin of their level are reset and
  programmed with write-verify;
- ``rewrite``: every t_r each synapse is reset and programmed with write-verify, without a read before;
- ``on-failure``: a sample of synapses is read ten times in each t_r, and when the share outside their margin is that
  which a network has after t_r, each synapse is verified as above. The sample is large enough to know this share to
  20 % (one standard deviation). At a constant temperature it costs more than ``verify``; it needs no knowledge of
  temperature and devices, and waits longer where it is cooler.

Targets are the states of the latent weights (under a rule that keeps them, those last programmed) in a digital memory,
since a wall that rests in a neighbouring state cannot be told from one that was programmed there. Its energy is not
included, nor are comparators or converters of the reads and the time when nothing is read or written (a non-volatile
device needs no power then).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from statistics import fmean

import torch
from torch import nn

from barkhausen.experiment.retention.settings import RetentionSettings
from barkhausen.experiment.retention.waiting import Draws
from barkhausen.learning import synapse_layers, wait
from barkhausen.synapse import AttemptEnergies, EnergyBreakdown, Phase
from barkhausen.synapse.drift import disturb
from barkhausen.synapse.escape import Escape

CHECK = "check"
"""Cause of the energy of reads that decide what is programmed."""
READ = "read"
"""Cause of the verify read in device files."""
SHORTEST = 1e-9
"""Shortest period in s; a device that needs less cannot be refreshed."""
PRECISION = 0.1
"""Relative precision of the period."""
SHORTER = 0.7
"""Factor by which a period is shortened that does not hold over several cycles."""
CHECKS = 10
"""Checks of the sample in one period of the policy ``on-failure``."""
SPREAD = 0.2
"""Relative standard deviation of the share found by the sample."""

POLICIES = {
    "verify": "read all, reprogram those outside their margin",
    "rewrite": "reprogram all without reading",
    "on-failure": "read a sample, verify all when it has failed",
}


@dataclass(frozen=True)
class Refresh:
    """The refresh of a network at one temperature.

    Attributes:
        temperature: Temperature in K.
        period: Longest time in s between two refreshes that keeps the loss within the tolerance; None where none is
            needed within the longest waiting time, or where no period holds.
        needed: Whether a refresh is needed within the longest waiting time.
        loss: Mean loss of accuracy, as a fraction, just before a refresh (without a refresh: after the longest
            waiting time).
        losses: The same of each draw.
        reprogrammed: Share of the synapses that one refresh reprograms.
        synapses: Number of synapses.
        sample: Number of synapses that the policy ``on-failure`` reads at each check.
        energy: Energy in J of one period by policy and cause.
        labels: Name of each cause.
        energies: Energy in J of one period of the policy ``verify``, of each draw.
    """

    temperature: float
    period: float | None
    needed: bool
    loss: float
    losses: tuple[float, ...]
    synapses: int
    reprogrammed: float = 0.0
    sample: int = 0
    energy: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    energies: tuple[float, ...] = ()

    def power(self, policy: str) -> float | None:
        """Average power in W of the whole network; 0 where no refresh is needed, None where none holds."""
        if not self.needed:
            return 0.0
        return None if self.period is None else math.fsum(self.energy[policy].values()) / self.period


def find_refresh(draws: Draws, fresh: list[float], escape: Escape, settings: RetentionSettings) -> Refresh:
    """The longest period that holds the accuracy at one temperature, and what a refresh costs.

    Args:
        draws: Draws of the network.
        fresh: Accuracy of each draw before waiting.
        escape: Escape rates at the temperature.
        settings: Settings.
    """

    def losses(seconds: float) -> list[float]:
        found = []
        for number in range(draws.count):
            chip = draws.chip(number)
            wait(chip, seconds, escape=escape, generator=draws.escapes(number, "refresh"))
            found.append(fresh[number] - draws.accuracy(chip))
        return found

    synapses = draws.synapses
    longest = losses(settings.horizon)
    if fmean(longest) <= settings.tolerance:
        return Refresh(escape.temperature, None, False, fmean(longest), tuple(longest), synapses)
    low, high = SHORTEST, settings.horizon
    shortest = losses(low)
    if fmean(shortest) > settings.tolerance:
        return Refresh(escape.temperature, None, True, fmean(shortest), tuple(shortest), synapses)
    while high > low * (1 + PRECISION):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if fmean(losses(middle)) <= settings.tolerance else (low, middle)
    period = low
    while True:
        cycles = [_cycles(draws, number, before, (escape, period), settings) for number, before in enumerate(fresh)]
        if fmean(cycle.loss for cycle in cycles) <= settings.tolerance or period * SHORTER < SHORTEST:
            break
        period *= SHORTER
    return _result(escape, period, cycles, synapses, settings.tolerance)


@dataclass(frozen=True)
class _Cycles:
    """Several cycles of waiting and refreshing of one draw: means over cycles. The loss is that before each refresh."""

    loss: float
    check: float
    programming: EnergyBreakdown
    rewriting: EnergyBreakdown
    share: float


def _cycles(
    draws: Draws, number: int, fresh: float, waiting: tuple[Escape, float], settings: RetentionSettings
) -> _Cycles:
    """Cycles of one draw, with the escape rates and the period of each wait."""
    escape, period = waiting
    chip = draws.chip(number)
    attempts = draws.recipe.transfer.max_attempts if settings.attempts is None else settings.attempts
    _prepare(chip, attempts)
    generator = draws.escapes(number, "refresh")
    losses, check, outside, devices = [], 0.0, 0, 0
    for _ in range(settings.cycles):
        wait(chip, period, escape=escape, generator=generator)
        losses.append(fresh - draws.accuracy(chip))
        joule, found, there = verify(chip, generator)
        check, outside, devices = check + joule, outside + found, devices + there
    programming = _programming(chip) / settings.cycles
    _prepare(chip, attempts)
    for _, layer in synapse_layers(chip):
        layer.program_all(generator, phase=Phase.TRAINING)
    return _Cycles(fmean(losses), check / settings.cycles, programming, _programming(chip), outside / devices)


@torch.no_grad()
def verify(chip: nn.Module, generator: torch.Generator) -> tuple[float, int, int]:
    """Read every synapse of a chip once, and reprogram those outside the margin of their level.

    Args:
        chip: Chip, whose weights, states and counters change in place.
        generator: Random stream of programming, and of what the reads disturb.

    Returns:
        Energy in J of the reads, number of synapses reprogrammed, and number of synapses.
    """
    joule, outside, devices = 0.0, 0, 0
    for _, layer in synapse_layers(chip):
        array = layer.synapses
        device = array.kind.device
        price = torch.as_tensor(device.energy(READ), device=array.weight.device)
        joule += float(torch.bincount(array.state.view(-1).long(), minlength=array.states).double() @ price)
        if "read_disturb" in device.data and "escape_direction" in device.data:
            disturb(array, 1, generator=generator)
        target = layer.target_state()
        where = (array.weight - array.levels[target]).abs() > array.margin
        array.program(target, where, generator)
        outside += int(where.sum())
        devices += where.numel()
    return joule, outside, devices


def _prepare(chip: nn.Module, attempts: int) -> None:
    """Give the arrays of a chip another number of attempts, and counters at zero."""
    for _, layer in synapse_layers(chip):
        array = layer.synapses
        array.kind = replace(array.kind, write=array.kind.write.changed(max_attempts=attempts))
        array.counters = array.kind.new_counters().to(array.weight.device)


def _programming(chip: nn.Module) -> EnergyBreakdown:
    total = EnergyBreakdown()
    for _, layer in synapse_layers(chip):
        total += AttemptEnergies.from_device(layer.synapses.kind.device).of_counters(layer.synapses.counters)
    return total


def _result(escape: Escape, period: float, cycles: list[_Cycles], synapses: int, tolerance: float) -> Refresh:
    number = len(cycles)
    check = fmean(cycle.check for cycle in cycles)
    programming, rewriting = EnergyBreakdown(), EnergyBreakdown()
    for cycle in cycles:
        programming, rewriting = programming + cycle.programming / number, rewriting + cycle.rewriting / number
    share = fmean(cycle.share for cycle in cycles)
    enough = math.ceil((1 - share) / (share * SPREAD**2)) if share > 0 else synapses
    sample = min(enough, synapses)
    losses = tuple(cycle.loss for cycle in cycles)
    verified = {CHECK: check, **programming.by_cause}
    holds = fmean(losses) <= tolerance
    return Refresh(
        temperature=escape.temperature,
        period=period if holds else None,
        needed=True,
        loss=fmean(losses),
        losses=losses,
        synapses=synapses,
        reprogrammed=share,
        sample=sample,
        energy={
            "verify": verified,
            "rewrite": {CHECK: 0.0, **rewriting.by_cause},
            "on-failure": {**verified, CHECK: check * (1 + CHECKS * sample / synapses)},
        },
        labels={CHECK: "reads that check", **programming.labels},
        energies=tuple(cycle.check + cycle.programming.total for cycle in cycles),
    )
