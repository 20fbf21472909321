"""Training of networks whose devices are written and read anew at every forward pass (Ellis et al. 2023).

The drives of the devices are ordinary parameters of the optimiser, which follows the two-moment gradient
(:mod:`barkhausen.learning.layers.two_moment`). Nothing is stored in a device between reads, so nothing is programmed:
the energy is that of the attempts, and belongs to every inference.
"""

from __future__ import annotations

from typing import Annotated, Any

import numpy as np
import torch
from pydantic import Field, ValidationInfo, field_validator
from torch import Tensor, nn

from barkhausen.core.config import StrictParameters
from barkhausen.core.units import with_unit
from barkhausen.device.of_kind import checked_digest, device_of_kind, file_of_kind
from barkhausen.device.probability.device import KIND, ProbabilityDevice
from barkhausen.learning.layers.drawing import draw_from, drawing_from
from barkhausen.learning.layers.read_stochastic import (
    ReadStochasticLayer,
    read_stochastic_layers,
    with_stochastic_reads,
)
from barkhausen.learning.rules.registry import RULES, LearnerParts, Rule
from barkhausen.synapse.read_stochastic import MOST_READS

BINS = 50
"""Bins of the histogram of trained probabilities, from 0 to 1."""

NEAR = 0.1
"""Distance from the lowest or highest probability of the curve, as a share of its height, that counts as nearly
deterministic."""


class StochasticReadOptions(StrictParameters):
    """The table ``[rule]`` of a recipe."""

    reads: Annotated[int, Field(ge=1, le=MOST_READS)] = 16
    """Number N of reads of each device in a forward pass, in training and evaluation."""
    device: str = "ellis-2023"
    """Shipped device of kind ``probability``, or a device file."""
    device_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = Field(default=None, validate_default=True)
    """Digest of the device file; another file is refused. Default: that of the file at the start."""

    @field_validator("device")
    @classmethod
    def _can_be_found(cls, given: str) -> str:
        file_of_kind(given, KIND)
        return given

    @field_validator("device_sha256")
    @classmethod
    def _of_this_file(cls, given: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("device")
        if name is None:
            return given
        return checked_digest(name, file_of_kind(name, KIND), given)

    def probability_device(self) -> ProbabilityDevice:
        """The device."""
        found: ProbabilityDevice = device_of_kind(self.device, KIND)
        return found


def _network(model: nn.Module, options: StochasticReadOptions, generator: torch.Generator) -> nn.Module:
    return with_stochastic_reads(model, options.probability_device(), options.reads, generator)


def _learner(parts: LearnerParts) -> torch.optim.Optimizer:
    # The reads of training come from the stream that is saved with the learner.
    draw_from(parts.model, parts.generator)
    return parts.optimizer


def _assumed(options: StochasticReadOptions) -> list[str]:
    device = options.probability_device()
    name, unit = device.drive
    return [
        *device.assumed,
        f"one weight unit is a {name} of {with_unit(device.weight_unit, unit)}; all drives start at the midpoint",
        "inputs of a layer are clipped to [0, 1]; a device whose input is 0 is neither written nor read",
    ]


@torch.no_grad()
def trained_probabilities(model: nn.Module, inputs: Tensor) -> dict[str, Any]:
    """What a summary keeps of the trained devices: their probabilities, and the energy of an inference.

    Args:
        model: Network of stochastically read layers.
        inputs: Samples over which reads and energies of an inference are averaged.
    """
    used = _used(model, inputs)
    layers = {}
    energy: dict[str, float] = {}
    labels: dict[str, str] = {}
    for name, layer in read_stochastic_layers(model):
        p = layer.probability.flatten(1).cpu().double().numpy()
        low, height = 1 - layer.amplitude, layer.amplitude
        share = (p - low) / height
        layers[name] = {
            "devices": p.size,
            "histogram": np.histogram(p, bins=BINS, range=(0.0, 1.0))[0].tolist(),
            "lowest": low,
            "mean": float(p.mean()),
            "mean_variance": float((p * (1 - p)).mean()),
            "nearly_deterministic": float(((share < NEAR) | (share > 1 - NEAR)).mean()),
            "attempts_per_inference": float(layer.reads * used[name].sum() * p.shape[0]),
        }
        drives = layer.drive.flatten(1).cpu().double().numpy()
        for cause, label in layer.device.energy_causes.items():
            joule = float((layer.device.energy(cause, drives) @ used[name]).sum()) * layer.reads
            energy[cause], labels[cause] = energy.get(cause, 0.0) + joule, label
    return {"bins": BINS, "near": NEAR, "layers": layers, "inference_joule": energy, "labels": labels}


def _used(model: nn.Module, inputs: Tensor) -> dict[str, np.ndarray]:
    """Mean number of times that each input of each layer is above zero in an inference, by layer."""
    found: dict[str, np.ndarray] = {}
    handles = []
    for name, layer in read_stochastic_layers(model):

        def note(module: nn.Module, arguments: tuple[Tensor, ...], name: str = name) -> None:
            assert isinstance(module, ReadStochasticLayer)
            found[name] = module.uses(arguments[0]).cpu().double().numpy()

        handles.append(layer.register_forward_pre_hook(note))
    was_training = model.training
    model.eval()
    where = next(model.parameters()).device
    with drawing_from(model, torch.Generator(where).manual_seed(0)):
        model(inputs.to(where))
    model.train(was_training)
    for handle in handles:
        handle.remove()
    return found


STOCHASTIC_READ = RULES.register(
    "stochastic-read",
    Rule(
        name="stochastic-read",
        label="stochastic reads",
        about="Each device is written and read anew at every use: its weight is the drive, which sets the probability "
        "that an attempt passes, and a forward pass takes the share of N attempts that passed. Devices keep nothing "
        "between uses, so none is programmed, and evaluations of one network differ from each other.",
        on_devices=False,
        learner=_learner,
        options=StochasticReadOptions,
        prepare=_network,
        assumed=_assumed,
        kept=trained_probabilities,
        colours="warm",
    ),
)
