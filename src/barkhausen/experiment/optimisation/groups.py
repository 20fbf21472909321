"""Parameter groups of a network: digital weights, biases with a rate of their own, latent weights."""

from __future__ import annotations

from typing import Any

from torch import nn

from barkhausen.experiment.optimisation.settings import OptimizerRecipe
from barkhausen.learning import synapse_layers


def parameter_groups(model: nn.Module, settings: OptimizerRecipe, latent_rate: float) -> list[dict[str, Any]]:
    """Groups for an optimiser, each with its full rate and the name of its schedule.

    Args:
        model: Network, converted or not.
        settings: The table ``[optimizer]``.
        latent_rate: Rate of latent weights.
    """
    latent_weight = [layer.latent_weight for _, layer in synapse_layers(model)]
    latent = {id(parameter) for parameter in latent_weight}
    digital = {name: p for name, p in model.named_parameters() if id(p) not in latent}
    factor, decay = settings.bias_factor, settings.weight_decay
    apart = [p for name, p in digital.items() if factor != 1.0 and name.rpartition(".")[2] == "bias"]
    rest = {id(parameter) for parameter in apart}
    usual = [p for p in digital.values() if id(p) not in rest]
    groups: list[dict[str, Any]] = [{"params": usual, "lr": settings.rate, "weight_decay": decay}]
    if apart:
        groups.append({"params": apart, "lr": factor * settings.rate, "weight_decay": decay / factor})
    if latent_weight:
        groups.append({"params": latent_weight, "lr": latent_rate, "weight_decay": 0.0})
    return groups


def set_rates(groups: list[dict[str, Any]], factor: float, latent_factor: float, *, latent: bool) -> None:
    """Set the rates of groups that :func:`parameter_groups` made.

    Args:
        groups: Groups, with their full rates.
        factor: Factor on the rates of digital parameters.
        latent_factor: Factor on the rate of latent weights, the last group.
        latent: Whether there are latent weights.
    """
    for number, group in enumerate(groups, 1):
        group["lr"] = group["full_rate"] * (latent_factor if latent and number == len(groups) else factor)
