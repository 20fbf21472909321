"""Description and figure of a stack."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from barkhausen.core.display.html import Description, Section
from barkhausen.core.errors import InputError
from barkhausen.core.units import NANO
from barkhausen.micromagnetics.display.plots import plot_film

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from barkhausen.micromagnetics.stack.stack import Stack


def describe_stack(stack: Stack) -> Description:
    """Grid, layers and couplings of a stack."""
    grid = stack.grid
    facts: dict[str, object] = {
        "cells": f"{grid.nx} × {grid.ny} of {NANO * grid.dx:g} × {NANO * grid.dy:g} nm",
        "layers": ", ".join(
            f"{name} ({NANO * layer.thickness:g} nm)"
            for name, layer in zip(stack.layer_names, stack.layers, strict=True)
        ),
        "gaps": ", ".join(f"{NANO * gap:g} nm" for gap in stack.spacers),
        "devices": stack.devices,
        "stray field": "yes" if stack.has_demag else "no",
    }
    if stack.device_of_replica is not None:
        facts["replicas"] = len(stack.device_of_replica)
    sections = [Section("Couplings", lines=[repr(coupling) for coupling in stack.couplings], opened=True)]
    for name, layer in zip(stack.layer_names, stack.layers, strict=True):
        constants = {key: value for key, value in layer.film.material.stated().items() if value not in (0.0, "")}
        sections.append(Section(f"Material of {name} (SI units)", pairs=constants))
    if stack.origin:
        sections.append(Section("Origin", lines=[stack.origin]))
    return Description(type(stack).__name__, facts, sections)


def plot_stack(
    stack: Stack,
    magnetisation: Float[Tensor, "layer 3 nx ny"] | None,
    axes: Sequence[Axes] | None,
    *,
    component: str,
) -> list[Axes]:
    """Draw a map for each layer of one replica, the top layer first (:meth:`Stack.plot`).

    Raises:
        InputError: The magnetisation has not one plane for each layer.
    """
    count = stack.layer_count
    if magnetisation is None:
        # The film of all layers knows what differs between them.
        magnetisation = torch.zeros(count, 3, *stack.grid.shape)
        for number, layer in enumerate(stack.layers):
            filled = 1.0 if layer.film.fill is None else layer.film.fill[0]
            magnetisation[number, "xyz".index(component) if component in "xyz" else 2] = torch.as_tensor(filled)
    if len(magnetisation) != count:
        raise InputError(f"magnetisation: {len(magnetisation)} planes are given for {count} layers")
    flipped = torch.as_tensor(magnetisation).flip(0)
    film = stack.layers[0].film
    panels = plot_film(film, flipped, axes, component=component)
    for panel, name in zip(panels, reversed(stack.layer_names), strict=True):
        panel.set_title(name, loc="left", fontsize="small")
    return panels
