"""Surroundings of a design: sensitivity of its cost to each variable, and its scores under other conditions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from pydantic import BaseModel

from barkhausen.core.errors import BarkhausenError
from barkhausen.device.domain_wall.design.score import Score
from barkhausen.device.domain_wall.design.space import DesignSpace, Variable
from barkhausen.device.domain_wall.parameters import DeviceParameters
from barkhausen.micromagnetics import Notch

OFFSETS = (-0.2, -0.1, -0.05, 0.05, 0.1, 0.2)
"""Steps of a variable as fractions of its range."""

REPEATS = 4
"""Number of evaluations of the design itself, which give the spread of its score by chance."""

TEMPERATURES = (0.0, 150.0, 300.0)
ROUGHNESSES = (0.0, 0.5e-9, 1e-9, 2e-9)
DEPTHS = (0.8, 0.9, 1.0, 1.1, 1.2)

Model = TypeVar("Model", bound=BaseModel)
Assess = Callable[[Sequence[DeviceParameters], float], list[Score]]
"""Function that gives the scores of devices on one track at a temperature in K."""


@dataclass(frozen=True)
class Sweep:
    """Costs along one variable, with all others as in the design."""

    variable: Variable
    centre: float
    """Value of the variable in the design."""
    values: list[float]
    costs: list[float]


@dataclass(frozen=True)
class Scenario:
    """The design under another condition."""

    quantity: str
    """``temperature``, ``roughness`` or ``notch depth``."""
    value: float
    """Value in K, in m, or relative to the design."""
    score: Score | None
    refused: str = ""
    """Reason why such a device is impossible; empty if it is possible."""


def sensitivity(
    space: DesignSpace, vector: Sequence[float], assess: Assess, temperature: float
) -> tuple[list[Sweep], list[Score]]:
    """Costs of a design when one variable is changed, and repeated scores of the unchanged design.

    Variables fixed by their range are left out, and steps end at the bounds.

    Args:
        space: Design space.
        vector: Variables of the design.
        assess: Function that evaluates devices.
        temperature: Temperature in K.
    """
    points: list[list[float]] = [list(vector)] * REPEATS
    plan: list[tuple[Variable, list[float]]] = []
    for place, variable in enumerate(space.variables):
        span = variable.high - variable.low
        if span == 0:
            continue
        steps = [float(np.clip(vector[place] + share * span, variable.low, variable.high)) for share in OFFSETS]
        values = sorted({value for value in steps if value != vector[place]})
        plan.append((variable, values))
        points += [[*vector[:place], value, *vector[place + 1 :]] for value in values]
    scores = assess([space.decode(point) for point in points], temperature)
    own, costs = scores[:REPEATS], [score.cost for score in scores[REPEATS:]]
    centre, sweeps = float(np.mean([score.cost for score in own])), []
    for variable, values in plan:
        mine, costs = costs[: len(values)], costs[len(values) :]
        place = space.names.index(variable.name)
        line = sorted([(vector[place], centre), *zip(values, mine, strict=True)])
        sweeps.append(Sweep(variable, vector[place], [x for x, _ in line], [y for _, y in line]))
    return sweeps, own


def scenarios(design: DeviceParameters, assess: Assess) -> list[Scenario]:
    """Scores of the design at other temperatures, with smoother and rougher edges, and with shallower and deeper
    notches.

    Voltages and pulses stay those of the design.

    Args:
        design: Parameters of the design.
        assess: Function that evaluates devices.
    """
    usual = design.characterisation.temperature
    shape = design.shape
    found = [_scenario("temperature", t, design, assess, t) for t in sorted({*TEMPERATURES, usual})]
    for rms in sorted({*ROUGHNESSES, shape.roughness.rms}):
        rough = _with(design, shape=_with(shape, roughness=_with(shape.roughness, rms=rms)))
        found.append(_scenario("roughness", rms, rough, assess, usual))
    if shape.notches:
        for factor in DEPTHS:
            notches = tuple(_deeper(notch, factor) for notch in shape.notches)
            found.append(
                _scenario("notch depth", factor, _with(design, shape=_with(shape, notches=notches)), assess, usual)
            )
    return found


def _scenario(quantity: str, value: float, design: DeviceParameters, assess: Assess, temperature: float) -> Scenario:
    try:
        return Scenario(quantity, value, assess([design], temperature)[0])
    except BarkhausenError as error:
        return Scenario(quantity, value, None, str(error))


def _deeper(notch: Notch, factor: float) -> Notch:
    return _with(notch, depth=factor * notch.depth)


def _with(model: Model, **changes: object) -> Model:
    return model.model_copy(update=changes)
