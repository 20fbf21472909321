"""Cells of a synapse: how many devices moved by pulses hold one weight, and what keeps them in range."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Annotated, Any, Literal

import xarray as xr
from pydantic import BeforeValidator, Field, model_validator

from barkhausen.core.config import Positive, StrictParameters, validated
from barkhausen.core.errors import InputError

Layout = Literal["single", "pair", "one-sided", "places"]

KEPT = ("one-sided", "places")
"""Layouts whose devices run out of range, unless something is done at intervals."""


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


class PulsedCell(StrictParameters):
    """Devices of one synapse.

    The weight is that of one device (``single``); half the difference of two, which are pulsed in turn, one up and the
    other down (``pair``); half the difference of two that are only pulsed up, as devices need that are reset abruptly
    (``one-sided``, aihwkit's ``OneSidedUnitCell``); or a sum over several devices, each times its place value
    (``places``), of which pulses go to the last.
    """

    layout: Layout = "single"
    """``single``, ``pair``, ``one-sided`` or ``places``."""
    place_values: Annotated[list[Positive], BeforeValidator(_listed)] = Field(default=[])
    """Place value of each device of a synapse, the most significant first; only their ratios matter."""
    upkeep_every: Annotated[int, Field(ge=0)] = 0
    """Training steps from one refresh of one-sided pairs, or carry of place values, to the next; 0: never."""
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.75
    """Share of its range beyond which a device is refreshed or carried."""

    @model_validator(mode="after")
    def _fits_the_layout(self) -> PulsedCell:
        values = self.place_values
        if self.layout == "places":
            if len(values) < 2 or any(first <= second for first, second in pairwise(values)):
                raise ValueError(f"place_values = {values}: layout = 'places' needs two or more that fall")
        elif values:
            raise ValueError(f"place_values belong to layout = 'places', not to {self.layout!r}")
        if self.upkeep_every and self.layout not in KEPT:
            raise ValueError(f"upkeep_every = {self.upkeep_every}: layout = {self.layout!r} needs no upkeep")
        return self

    @property
    def devices(self) -> int:
        """Devices of a synapse."""
        return {"single": 1, "places": len(self.place_values)}.get(self.layout, 2)

    def words(self) -> str:
        """The cell in one line."""
        kept = f", every {self.upkeep_every} steps" if self.upkeep_every else ", never"
        if self.layout == "single":
            return "one device a synapse"
        if self.layout == "pair":
            return "two devices a synapse, pulsed in turn, one up and the other down"
        beyond = f" of devices beyond {self.threshold:g} of their range{kept}"
        if self.layout == "one-sided":
            return f"two devices a synapse, pulsed up alone; refresh{beyond}"
        values = " : ".join(f"{value:g}" for value in self.place_values)
        return f"{self.devices} devices a synapse with place values {values}, pulses to the last; carry{beyond}"


def cell_of(data: xr.Dataset) -> PulsedCell:
    """Cells that a device file asks for: one device a synapse where it does not say.

    Args:
        data: Content of a device file of kind ``pulses``.

    Raises:
        InputError: What the file says is damaged.
    """
    text = data.attrs.get("cell", "{}")
    try:
        values = json.loads(text)
    except (TypeError, ValueError):
        raise InputError(f"cell = {text!r}: must be JSON") from None
    if not isinstance(values, dict):
        raise InputError(f"cell = {text!r}: must be a JSON object")
    return validated(PulsedCell, values, "cell")
