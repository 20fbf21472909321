"""Decay during training: devices lose their states while a network learns on them, a little at every step.

The physics is that of :mod:`.drift`: within a step each wall escapes with the probability of its characterised device,
and rests in another state or at an end of the track. What differs is the work. A training makes thousands of steps of
the same short duration, in each of which few devices move. Probabilities are therefore tabulated once for each device
of the population and each state, one pass lists the few devices that leave, and only those are computed further.

Probabilities are multiples of 2^-32 in the compiled pass: a device that leaves less often than once in 4e9 steps stays.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from barkhausen.core.errors import InputError
from barkhausen.synapse.bank import SynapseBank
from barkhausen.synapse.compiled import DecayTables, LeaverScan, serves
from barkhausen.synapse.drift import END, characterised_rows, move, transitions
from barkhausen.synapse.escape import Escape, escape_of

SCALE, LARGEST = 2.0**32, 2**32 - 1


@dataclass(frozen=True)
class Decay:
    """Time that passes at every training step, in which devices may lose their states.

    Args:
        step_time: Duration of a step in s.
        temperature: Temperature in K. Default: that of the characterisation.

    Raises:
        InputError: The time is not positive, or the temperature is not.
    """

    step_time: float
    temperature: float | None = None

    def __post_init__(self) -> None:
        for name in ("step_time", "temperature"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(f"{name} = {value}: must be positive")


class BankDecay:
    """Decay of the devices of a bank within one step.

    Args:
        bank: Bank, whose weights and states change in place.
        decay: Duration of the step, and temperature.
        escape: Escape rates of the device at that temperature, where they are at hand.

    Raises:
        InputError: As :func:`.escape_of`.
    """

    def __init__(self, bank: SynapseBank, decay: Decay, escape: Escape | None = None) -> None:
        self.bank = bank
        device = bank.kind.device
        escape = escape_of(device, decay.temperature) if escape is None else escape
        self.transitions = transitions(device, decay.step_time, escape=escape)
        where = bank.weight.device
        chance = torch.as_tensor(self.transitions, device=where)
        # Without the probability to stay, so that no digit of a small one is lost.
        stay = torch.eye(chance.shape[1], dtype=torch.bool, device=where)
        leaving = chance.masked_fill(stay, 0.0)[:, 1:-1]
        self.probability = leaving.sum(-1)
        self.never = bool((self.probability * SCALE < 0.5).all())
        self.edges = (leaving / self.probability.clamp_min(1e-300)[..., None]).cumsum(-1)
        self.kind_of_row = torch.cat([characterised_rows(array) % len(chance) for array in bank.arrays])
        low, high = bank.kind.weight_range
        self.between = low + END, high - END
        limits = _unsigned(self.probability[self.kind_of_row] * SCALE)
        self.scan = LeaverScan(
            DecayTables(bank.ends, bank.first_row, limits, self.kind_of_row, _unsigned(self.edges * SCALE))
        )

    @torch.no_grad()
    def step(self, generator: torch.Generator | None = None) -> None:
        """Let one step pass.

        Args:
            generator: Random stream of the escapes.
        """
        if self.never:
            return
        bank = self.bank
        if bank.weight.device.type != "cpu":
            # No size of a selection is read back.
            for array in bank.arrays:
                move(array, self.transitions, generator)
            return
        if serves(bank.weight):
            seed = int(torch.empty((), dtype=torch.int64).random_(generator=generator))
            index, row, place = self.scan.leaving(bank, self.between, seed)
        else:
            index, row, place = self._leaving(generator)
        if len(index):
            self._move(index, row, place, generator)

    def _leaving(self, generator: torch.Generator | None) -> tuple[Tensor, Tensor, Tensor]:
        """Flat positions of the devices that leave, their rows, and the places that they go to."""
        bank, (low, high) = self.bank, self.between
        rows = bank.row_of(torch.arange(bank.synapses))
        state, weight = (flat[: bank.synapses] for flat in (bank.state.long(), bank.weight))
        luck = torch.rand((2, bank.synapses), generator=generator, dtype=torch.float64)
        leaves = (luck[0] < self.probability[self.kind_of_row[rows], state]) & (weight > low) & (weight < high)
        if bank.stuck is not None:
            leaves &= ~bank.stuck[: bank.synapses]
        index = leaves.nonzero().squeeze(1)
        row = rows[index]
        edges = self.edges[self.kind_of_row[row], state[index]]
        place = (luck[1, index][:, None] >= edges).sum(1).clamp_(max=edges.shape[-1] - 1)
        return index, row, place

    def _move(self, index: Tensor, row: Tensor, place: Tensor, generator: torch.Generator | None) -> None:
        """Move walls to these places."""
        bank, last = self.bank, self.edges.shape[-1] - 1
        low, high = bank.kind.weight_range
        target = (place - 1).clamp_(0, last - 2)
        weight = bank.draw_at(row, target, generator)
        weight = torch.where(place == 0, low, torch.where(place == last, high, weight)).to(bank.weight.dtype)
        bank.weight.index_copy_(0, index, weight)
        bank.state.index_copy_(0, index, target.to(torch.uint8))


def _unsigned(values: Float[Tensor, "*table"]) -> Int[Tensor, "*table"]:
    """Whole numbers of 32 bits without a sign, as int32 of the same bits: torch hardly has the former."""
    whole = values.round().clamp_(max=LARGEST).to(torch.int64)
    return torch.where(whole >= 2**31, whole - 2**32, whole).to(torch.int32).contiguous()
