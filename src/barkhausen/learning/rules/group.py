"""Groups of layers whose synapses are of one kind, so that one pass over memory handles all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from barkhausen.learning.compiled import Scan
from barkhausen.learning.layers.base import COPIES, SynapseLayer
from barkhausen.synapse import SynapseBank
from barkhausen.synapse.decay import BankDecay

BLOCK = 32
"""Number of synapses in a block when searching for the few that are due without compiled code."""


class Group(ABC):
    """Layers of one kind, with their devices in one bank and their latent weights in one flat tensor.

    A rule says in :meth:`due` and :meth:`due_in` which devices are to be programmed. The digital copies that it keeps
    of its devices are buffers of the layers, and views of one flat tensor here too.

    Args:
        layers: Layers whose synapses are of one kind.
        margin: Their tolerance margin in weight units, which a schedule multiplies.
    """

    copies: tuple[str, ...] = ()
    """Names of the digital copies that the rule keeps, out of :data:`.COPIES`."""

    def __init__(self, layers: Sequence[SynapseLayer], margin: float) -> None:
        self.layers = list(layers)
        self.margin = margin
        self.learning = layers[0].latent_weight.requires_grad
        self.bank = SynapseBank([layer.synapses for layer in layers], padding=BLOCK)
        self.quantiser = layers[0].quantiser
        self.scan = Scan(self.quantiser)
        self.latent_weight = torch.zeros_like(self.bank.weight)
        # The surplus at the end lies exactly on its level and is never programmed, for any margin.
        self.bank.weight[self.bank.synapses :] = self.quantiser.level(self.latent_weight[self.bank.synapses :])
        for layer, part in zip(layers, self.parts(self.latent_weight), strict=True):
            part.copy_(layer.latent_weight.detach())
            layer.latent_weight.data = part
        for layer in layers:
            layer.hysteresis = 0.0
            for name in COPIES:
                if name not in self.copies:
                    setattr(layer, name, None)
        self.decay: BankDecay | None = None
        self._pointers = [layer.latent_weight.data_ptr() for layer in layers]

    def __getstate__(self) -> dict[str, Any]:
        # A copy has its own tensors, which might by chance lie at the old addresses.
        return {**self.__dict__, "_pointers": [-1] * len(self.layers)}

    def parts(self, flat: Tensor) -> list[Tensor]:
        """Views of a flat tensor in the shapes of the layers."""
        pieces = flat[: self.bank.synapses].split(self.bank.sizes)
        return [piece.view(x.latent_weight.shape) for piece, x in zip(pieces, self.layers, strict=True)]

    def keep(self, name: str, surplus: Tensor, made: Callable[[SynapseLayer], Tensor]) -> Tensor:
        """Make the layers' copies of one name views of a flat tensor.

        Args:
            name: Name of the buffer.
            surplus: Values beyond the last synapse of the bank, which must be such that no device is due there.
            made: Function that makes the copy of a layer that has none.
        """
        flat = torch.zeros(len(self.latent_weight), dtype=surplus.dtype, device=self.latent_weight.device)
        flat[self.bank.synapses :] = surplus
        for layer, part in zip(self.layers, self.parts(flat), strict=True):
            held = getattr(layer, name)
            part.copy_(made(layer) if held is None else held)
            setattr(layer, name, part)
        return flat

    @property
    def surplus(self) -> Tensor:
        """Latent weights beyond the last synapse of the bank."""
        return self.latent_weight[self.bank.synapses :]

    def intact(self) -> bool:
        """Whether latent weights, devices and copies are still views of this group's tensors."""
        here = all(x.latent_weight.data_ptr() == at for x, at in zip(self.layers, self._pointers, strict=True))
        same = all(x.synapses is array for x, array in zip(self.layers, self.bank.arrays, strict=True))
        frozen = all(x.latent_weight.requires_grad == self.learning for x in self.layers)
        kept = all((getattr(x, name) is not None) == (name in self.copies) for x in self.layers for name in COPIES)
        return here and same and frozen and kept and self.bank.intact()

    def scale_margin(self, factor: float) -> None:
        """Multiply the initial margin of the layers."""
        if factor * self.margin != self.bank.kind.margin:
            self.bank.set_margin(factor * self.margin)

    def program(self, generator: torch.Generator | None) -> None:
        """Clip the latent weights to [−1, 1] and program the devices that are due."""
        if self.latent_weight.device.type == "cpu":
            index, target = self.due()
            if len(index):
                self.bank.program_at(index, target, generator)
                self.programmed(index, target)
            return
        self.latent_weight.clamp_(-1.0, 1.0)
        for layer in self.layers:
            where, target = self.due_in(layer)
            layer.synapses.program(target, where, generator)
            self.programmed_in(layer, where, target)

    @abstractmethod
    def due(self) -> tuple[Int[Tensor, " event"], Int[Tensor, " event"]]:
        """Clip the latent weights, and return flat positions and targets of the devices due, ascending; on a CPU."""

    @abstractmethod
    def due_in(self, layer: SynapseLayer) -> tuple[Bool[Tensor, "*synapse"], Int[Tensor, "*synapse"]]:
        """Mask of the devices due and target of every device of a layer, without a look at any size; on an
        accelerator."""

    def programmed(self, index: Int[Tensor, " event"], target: Int[Tensor, " event"]) -> None:
        """Note in the copies what was programmed; on a CPU. A rule without copies has nothing to note."""
        return

    def programmed_in(
        self, layer: SynapseLayer, where: Bool[Tensor, "*synapse"], target: Int[Tensor, "*synapse"]
    ) -> None:
        """Note in the copies of a layer what was programmed; on an accelerator."""
        return


def groups_of_one_kind(
    layers: list[SynapseLayer], margins: list[float], make: Callable[[list[SynapseLayer], float], Group]
) -> list[Group]:
    """Layers that can be programmed together, as groups.

    Args:
        layers: All layers.
        margins: Tolerance margin of each in weight units.
        make: Function that makes a group of layers of one margin.
    """
    groups: list[tuple[float, list[SynapseLayer]]] = []
    for layer, margin in zip(layers, margins, strict=True):
        for base, group in groups:
            if base == margin and _alike(group[0], layer):
                group.append(layer)
                break
        else:
            groups.append((margin, [layer]))
    return [make(group, margin) for margin, group in groups]


def _alike(one: SynapseLayer, other: SynapseLayer) -> bool:
    return (
        one.synapses.kind.same_as(other.synapses.kind)
        and one.synapses.weight.dtype == other.synapses.weight.dtype
        and one.latent_weight.requires_grad == other.latent_weight.requires_grad
    )
