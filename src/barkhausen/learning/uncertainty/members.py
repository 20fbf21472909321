"""Outputs of the members of a network: stochastic passes, programmed chips, replicas, or networks of an ensemble."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from barkhausen.core.errors import InputError, did_you_mean
from barkhausen.core.seeds import stream
from barkhausen.learning.chips import fresh_chip, outputs_of
from barkhausen.learning.layers.base import synapse_layers
from barkhausen.learning.layers.crossbar import crossbar_layers
from barkhausen.learning.layers.drawing import drawing_anew, draws

Member = Literal["auto", "network", "passes", "chips"]

MEMBERS: tuple[Member, ...] = get_args(Member)
"""What the members of a network are: chosen by the network, the network itself alone, stochastic passes of it, or chips
programmed with it."""

Streams = Callable[[str], torch.Generator]
"""Function from a name to a random stream of its own."""


@runtime_checkable
class Replicated(Protocol):
    """A network that holds several chips of itself, which learnt at once."""

    replicas: int

    def outputs_of_replicas(self, inputs: Float[Tensor, "sample feature"]) -> Float[Tensor, "replica sample class"]:
        """Outputs of all chips, in one stochastic pass."""


def member_named(name: str) -> Member:
    """The kind of members of that name.

    Raises:
        InputError: There is none; the message names the nearest, or all there are.
    """
    found = next((each for each in MEMBERS if each == name), None)
    if found is None:
        raise InputError(f"over = {name!r}: no such members{did_you_mean(name, MEMBERS)}")
    return found


def members_of(model: nn.Module, over: str = "auto") -> Member:
    """What the members of a network are.

    By default a network that draws random numbers gives passes, a network on devices chips, and any other one itself.

    Args:
        model: Any network.
        over: The choice, where there is one.

    Raises:
        InputError: There are no such members, or the network has none of them.
    """
    chosen = member_named(over)
    on_devices = next(synapse_layers(model), None) is not None
    random = draws(model) or any(True for _ in crossbar_layers(model))
    if chosen == "chips" and not on_devices:
        raise InputError("members = 'chips': the network has no devices that could be programmed anew")
    if chosen == "passes" and not random:
        raise InputError("members = 'passes': every pass of this network gives the same outputs")
    if chosen != "auto":
        return chosen
    return "passes" if random else "chips" if on_devices else "network"


@torch.no_grad()
def member_outputs(
    model: nn.Module,
    inputs: Float[Tensor, "sample ..."],
    members: int,
    *,
    over: str = "auto",
    seed: int = 0,
    streams: Streams | None = None,
    max_attempts: int = 5,
    batch: int = 2000,
) -> tuple[Float[Tensor, "member sample class"], str]:
    """Outputs of the members of a network, in evaluation mode, and what the members are in words.

    A chip of a network that also draws random numbers is evaluated in one pass. A network that holds several chips of
    itself gives all of them, pass by pass.

    Args:
        model: Trained network.
        inputs: Samples.
        members: Number of members. A network that is its only member gives one.
        over: What the members are (:func:`members_of`).
        seed: Seed of passes and chips.
        streams: Random streams instead of those of the seed.
        max_attempts: Largest number of programming attempts of a device of a chip.
        batch: Samples in one forward pass.

    Raises:
        InputError: The number is not positive, or the network has no such members.
    """
    if isinstance(members, bool) or not isinstance(members, int) or members < 1:
        raise InputError(f"members = {members!r}: must be a whole number, 1 or more")
    kind = members_of(model, over)
    where = next((p.device for p in model.parameters()), torch.device("cpu"))

    def of_seed(name: str) -> torch.Generator:
        return stream(seed, name, where)

    streams = streams or of_seed
    if isinstance(model, Replicated):
        return _of_replicas(model, inputs, 1 if kind == "network" else members, streams, batch)
    if kind == "network":
        with drawing_anew(model, streams("evaluation 0")):
            return outputs_of(model, inputs, batch)[None], "pass" if draws(model) else "network"
    found = []
    for number in range(members):
        member = model
        if kind == "chips":
            member = fresh_chip(model, streams(f"chip {number}"), max_attempts=max_attempts)
        with drawing_anew(member, streams(f"evaluation {number}")):
            found.append(outputs_of(member, inputs, batch))
    return torch.stack(found), kind


def ensemble_outputs(
    networks: Iterable[nn.Module], inputs: Float[Tensor, "sample ..."], batch: int = 2000
) -> Float[Tensor, "member sample class"]:
    """Outputs of the networks of an ensemble, such as trainings from several seeds."""
    outputs: Sequence[Tensor] = [outputs_of(network, inputs, batch) for network in networks]
    if not outputs or len({tuple(each.shape) for each in outputs}) > 1:
        raise InputError("an ensemble needs networks with outputs of one size")
    return torch.stack(list(outputs))


def _of_replicas(model: Replicated, inputs: Tensor, members: int, streams: Streams, batch: int) -> tuple[Tensor, str]:
    assert isinstance(model, nn.Module)
    passes = -(-members // model.replicas)
    training, found = model.training, []
    model.eval()
    for number in range(passes):
        with drawing_anew(model, streams(f"evaluation {number}")):
            parts = [model.outputs_of_replicas(part) for part in inputs.split(batch)]
            found.append(torch.cat(parts, dim=1))
    model.train(training)
    what = "passes" if model.replicas == 1 else "chips" if passes == 1 else f"passes of {model.replicas} chips"
    return torch.cat(found)[:members], what
