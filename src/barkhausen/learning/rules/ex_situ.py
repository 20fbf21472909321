"""Ex-situ learning: a precursor is trained on the device model and then programmed onto unseen chips.

An in-situ network adapts to the fixed errors of its own devices and transfers badly to other chips. To avoid this, the
weight of every synapse of the precursor is drawn anew at every step from the distribution of *programmed* weights
(fresh device, write-verify with the same margin), so that the trained network works on any chip.
"""

from __future__ import annotations

import torch
from torch import nn

from barkhausen.device import CharacterisedDevice
from barkhausen.learning import margin
from barkhausen.learning.layers.base import COPIES
from barkhausen.learning.rules.base import Learner
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse import Faults, ProgrammedWeights


class Precursor(Learner):
    """Training of the precursor around any torch optimiser; used like the optimiser itself.

    After each step, the latent weights are clipped to [−1, 1] and every synaptic weight is redrawn for the state
    nearest to its latent weight. No programming is counted, since training uses no devices.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        device: Statistics of the devices of the chips. Default: each layer's own.
        margin: Tolerance margin of the write-verify that will program the chips. Default: each layer's own.
        max_attempts: Largest number of attempts of that write-verify.
        generator: Random stream of the redrawn weights.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        model: nn.Module,
        device: CharacterisedDevice | None = None,
        *,
        margin: float | None = None,
        max_attempts: int = 5,
        generator: torch.Generator,
    ) -> None:
        super().__init__(optimizer, model, generator)
        # One table for all layers of one kind.
        tables: dict[tuple[int, float, Faults], ProgrammedWeights] = {}
        self.written: list[ProgrammedWeights] = []
        for layer in self.layers:
            kind = layer.synapses.kind
            of, within = device or kind.device, kind.margin if margin is None else margin
            key = (id(of), within, kind.faults)
            if key not in tables:
                tables[key] = ProgrammedWeights(
                    of, margin=within, max_attempts=max_attempts, generator=generator, faults=kind.faults
                )
            self.written.append(tables[key])
        self.update_devices()
        for layer in self.layers:
            layer.synapses.counters.reset()
            for name in COPIES:
                setattr(layer, name, None)

    @torch.no_grad()
    def update_devices(self) -> None:
        """Draw the weight of every synapse for the state nearest to its latent weight."""
        for layer, written in zip(self.layers, self.written, strict=True):
            state = layer.quantiser.state(layer.latent_weight.clamp_(-1.0, 1.0))
            layer.synapses.weight.copy_(written.draw(state, self.generator))
            layer.synapses.state.copy_(state)


def _learner(parts: LearnerParts) -> Precursor:
    return Precursor(
        parts.optimizer,
        parts.model,
        parts.device,
        margin=parts.margin,
        max_attempts=parts.transfer_attempts,
        generator=parts.generator,
    )


EX_SITU = RULES.register(
    "ex-situ",
    Rule(
        name="ex-situ",
        label="ex-situ",
        on_devices=True,
        learner=_learner,
        measured_on_new_chips=True,
        histograms=("a fresh chip programmed once", "the same chip after write-verify"),
        margin=margin.EX_SITU,
        latent_rate=3e-2,
        colours="warm",
    ),
)
