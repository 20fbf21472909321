"""Tiki-Taka, version 2: a fast array takes the gradient, a digital filter its reads, and a slow array the weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from barkhausen.core.config import Count, Positive
from barkhausen.core.errors import InputError
from barkhausen.learning.layers.base import SynapseLayer
from barkhausen.learning.rules.monitoring import Monitoring
from barkhausen.learning.rules.pulsed import MOST_PULSES, PulsedSGD, StoredOptions, learner_of, pulsed_rule
from barkhausen.synapse import EnergyBreakdown, Phase
from barkhausen.synapse.pulsed.array import PulsedArray
from barkhausen.synapse.pulsed.cells import LONGEST_TRAIN
from barkhausen.synapse.pulsed.kernel import requested, with_pattern

HALVINGS = 40
"""Bisections for the symmetry point of each device."""


class TikiTaka(PulsedSGD):
    """Tiki-Taka of version 2 (Gokmen, Front. Artif. Intell. 4, 699148 (2021)), a reference among rules for pulses.

    Each layer has a second array A of devices like its own, which the forward pass does not use. A step of the
    optimiser becomes pulses on A, as in :class:`PulsedSGD`. At every ``transfer_every``-th step the next column of A is
    read; its difference from the symmetry points of its devices, where a pulse up and one down cancel, is added to a
    digital array H. Where |H| is above a step of the weight, the device of the weight gets one pulse of that sign, and
    H is reduced by the step.

    Args:
        optimizer: Any torch optimiser over the model's parameters; its update is what A is asked for.
        model: Module with synapse layers whose devices are moved by pulses.
        generator: Random stream of devices, rounding and pulses.
        most: Largest number of pulses of a device of A at one step.
        transfer_every: Steps from one read of a column to the next.
        transfer_rate: Factor on a read that is added to H.

    Raises:
        InputError: As :class:`PulsedSGD`, or a number is out of range.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        generator: torch.Generator | None = None,
        *,
        most: int = MOST_PULSES,
        transfer_every: int = 1,
        transfer_rate: float = 1.0,
    ) -> None:
        if transfer_every < 1:
            raise InputError(f"transfer_every = {transfer_every}: must be 1 or more")
        if not transfer_rate > 0:
            raise InputError(f"transfer_rate = {transfer_rate}: must be positive")
        super().__init__(optimizer, model, generator, most=most)
        self.transfer_every, self.transfer_rate = transfer_every, transfer_rate
        self.steps = 0
        self.fast: list[PulsedArray] = []
        self.symmetry: list[Tensor] = []
        self.filters: list[Tensor] = []
        source = torch.Generator().manual_seed(0) if generator is None else generator
        for layer in self.layers:
            array: PulsedArray = layer.synapses
            fast = array.like(source)
            self.fast.append(fast)
            self.symmetry.append(symmetry_points(fast))
            self._start(fast, self.symmetry[-1])
            self.filters.append(torch.zeros_like(array.weight).flatten(1))

    def update_layer(self, layer: SynapseLayer, number: int) -> None:
        """Turn the step of the optimiser into pulses on the fast array, and move one of its columns on."""
        array, fast = layer.synapses, self.fast[number]
        change = layer.latent_weight.detach() - array.weight
        held = fast.weight.view(-1)
        wanted = held + change.view(-1)
        index, pulses = requested(wanted, held, fast.kind.per_unit, self.most, self.key_of(number), fast.lists)
        fast.pulse_at(index, pulses, key=self.key_of(number, 1))
        if self.steps % self.transfer_every == 0:
            self._transfer(array, fast, number)
        layer.latent_weight.copy_(array.weight)

    def update_devices(self) -> None:
        """Give the devices of all layers that learn the pulses of this step."""
        super().update_devices()
        self.steps += 1

    def _transfer(self, array: PulsedArray, fast: PulsedArray, number: int) -> None:
        rows = self.filters[number]
        column = (self.steps // self.transfer_every) % rows.shape[1]
        read = (fast.weight - self.symmetry[number]).flatten(1)[:, column]
        rows[:, column].add_(read, alpha=self.transfer_rate)
        step = array.kind.step
        due = rows[:, column].abs() >= step
        sign = torch.where(due, torch.sign(rows[:, column]), 0.0)
        rows[:, column].sub_(sign, alpha=step)
        chosen = sign.nonzero().squeeze(1)
        place = chosen * rows.shape[1] + column
        array.pulse_at(place, sign.index_select(0, chosen).to(torch.int32), key=self.key_of(number, 2))

    @staticmethod
    def _start(fast: PulsedArray, symmetry: Tensor) -> None:
        """Put a fast array at its symmetry points, and count a train of pulses for its devices and their references."""
        needed = torch.round(fast.kind.pulses_to(fast.weight, symmetry)).clamp_(min=0.0, max=LONGEST_TRAIN)
        fast.counters.pulses[Phase.INITIAL, 0] += 2 * int(needed.sum())
        fast.weight.copy_(symmetry)

    def fast_energy(self) -> EnergyBreakdown:
        """Energy in J of the pulses on the fast arrays, which those of the layers do not count."""
        total = EnergyBreakdown()
        for fast in self.fast:
            total += fast.energy()
        return total

    def state_dict(self) -> dict[str, Any]:
        """State of the optimiser, with the fast arrays and the filters under ``tiki_taka``."""
        arrays = [dict(fast.state_dict()) for fast in self.fast]
        held = {"steps": self.steps, "fast": arrays, "filters": list(self.filters)}
        return {**super().state_dict(), "tiki_taka": held}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the optimiser's state, or that of a bare optimiser."""
        rest = dict(state_dict)
        held = rest.pop("tiki_taka", None)
        if held is not None:
            self.steps = int(held["steps"])
            for number, (fast, saved) in enumerate(zip(self.fast, held["fast"], strict=True)):
                fast.load_state_dict(saved)
                self.symmetry[number].copy_(symmetry_points(fast))
            for mine, value in zip(self.filters, held["filters"], strict=True):
                mine.copy_(value)
        super().load_state_dict(rest)


@torch.no_grad()
def symmetry_points(array: PulsedArray) -> Tensor:
    """Weight of each device at which the mean steps up and down cancel; an end of its range where they never do.

    Raises:
        InputError: A synapse has several devices.
    """
    if array.cells is not None:
        raise InputError("the symmetry point is that of a single device, and these synapses have several")
    steps = array.steps_of(0)
    count, cells = array.weight.numel(), steps.mean.shape[1] - 1
    one = torch.ones(count, device=array.weight.device)
    places = torch.arange(count, device=array.weight.device)
    low = torch.zeros_like(one)
    high = one.clone()
    up, down = (one, one) if steps.factor is None else (steps.factor[0], steps.factor[1])
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        place = middle * cells
        cell = place.to(torch.int64).clamp_(max=cells - 1)
        part = place - cell
        rise, fall = (row[cell] + part * (row[cell + 1] - row[cell]) for row in steps.mean)
        if steps.pattern is not None:
            rise, fall = (with_pattern(x, steps, places, (row, cell, part)) for row, x in enumerate((rise, fall)))
        # Steps up become smaller, and steps down larger, towards the upper bound.
        above = up * rise + down * fall > 0
        low, high = torch.where(above, middle, low), torch.where(above, high, middle)
    first = -one if steps.bounds is None else steps.bounds[0]
    last = one if steps.bounds is None else steps.bounds[1]
    return (first + 0.5 * (low + high) * (last - first)).view(array.weight.shape).to(array.weight.dtype)


class TikiTakaOptions(StoredOptions):
    """The table ``[rule]`` of a recipe."""

    transfer_every: Count = 1
    """Steps from one read of a column of the fast array to the next."""
    transfer_rate: Positive = 1.0
    """Factor on a read that is added to the digital filter."""

    def assumed(self) -> list[str]:
        """Assumptions behind the energy."""
        return [
            "symmetry points of the fast arrays are known, and held by reference devices; both got there by one train "
            "of pulses, and the currents of references are subtracted before the conversion",
            *super().assumed(),
        ]


def _monitoring(options: TikiTakaOptions, states: int) -> Monitoring:
    return Monitoring(
        latent_bits=0,
        second_arrays=1,
        columns_per_step=1.0 / options.transfer_every,
        column_bits=options.bits,
    )


TIKI_TAKA = pulsed_rule(
    "tiki-taka",
    "Tiki-Taka v2",
    learner_of(TikiTaka, "most", "transfer_every", "transfer_rate"),
    options=TikiTakaOptions,
    monitoring=_monitoring,
    defaults={"optimizer": {"name": "sgd", "momentum": 0.0}},
    latent_rate=0.3,
    assumed=lambda options: options.assumed(),
    latent_weights=False,
    second_arrays=lambda learner: learner.fast,
)
