"""One forecast from recipe to scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from barkhausen.core.seeds import mixed_seed
from barkhausen.core.units import FEMTO
from barkhausen.experiment.reservoir import driven, naive, recurrent  # noqa: F401 (they register their methods)
from barkhausen.experiment.reservoir.driven import CAPACITY, DrivenForecaster
from barkhausen.experiment.reservoir.methods import METHODS, Forecaster, Workplace
from barkhausen.experiment.reservoir.series import ForecastSeries, forecast_series
from barkhausen.experiment.reservoir.settings import ForecastRecipe
from barkhausen.neuron.reservoir import Capacities, capacities, forced_states, horizons, nrmse, random_bits
from barkhausen.neuron.reservoir.energy import ForecastEnergy, digital_energy, reservoir_energy
from barkhausen.neuron.reservoir.parameters import Driven
from barkhausen.synapse.crossbar import load_chip

Row = dict[str, Any]

EARLY = 84
"""Steps of the early part of an autonomous forecast; a common benchmark of Mackey-Glass."""


@dataclass(frozen=True)
class Study:
    """What one forecast came to: its row, and arrays for pages."""

    row: Row
    arrays: dict[str, np.ndarray]


def study(recipe: ForecastRecipe, *, data_dir: Path | None = None, folder: Path | None = None) -> Study:
    """Fit a method, forecast the test part, and score it.

    Args:
        recipe: Recipe.
        data_dir: Root of the data sets.
        folder: Folder in which runs of elements are kept; the same call resumes there.

    Raises:
        InputError: The series cannot be had, or a part does not fit.
        OutcomeError: No forecast was finite.
    """
    series = forecast_series(recipe.series, data_dir)
    method = METHODS.named(recipe.method).make(recipe, Workplace(folder))
    fitted = method.fit(series)
    origins, steps = series.test_origins(), recipe.series.steps
    made, truth = method.forecast(series, origins, steps), series.truth(origins, steps)
    first = nrmse(made[0], truth[0], series.spread)
    reach = horizons(made, truth, series.spread)
    error = nrmse(made, truth, series.spread)
    energy = energy_of(recipe, method, series)
    row: Row = {
        "nrmse": error,
        "first_nrmse": first,
        "early_nrmse": nrmse(made[:, :EARLY], truth[:, :EARLY], series.spread) if steps >= EARLY else None,
        "rmse": error * series.spread * series.scale,
        "unit": series.unit,
        "horizon": float(np.median(reach)),
        "first_horizon": int(reach[0]),
        "shortest_horizon": int(reach.min()),
        "longest_horizon": int(reach.max()),
        "forecasts": len(origins),
        "validation_nrmse": fitted.validation_nrmse,
        "taps": fitted.chosen.get("taps"),
        "penalty": fitted.chosen.get("penalty"),
        "weights": fitted.weights,
        "one_step_nrmse": None,
        "memory_capacity": None,
        "parity_capacity": None,
        "intact": None,
        "forecast_femtojoule": FEMTO * energy.total if energy.by_cause else None,
        **{f"{_plain(cause)}_femtojoule": FEMTO * joule for cause, joule in energy.by_cause.items()},
        "factors": "\n".join(energy.factors),
    }
    # Of forecasts at every value, those that follow one another.
    kept = slice(None, None, steps if series.direct else 1)
    arrays = {
        "forecast": series.offset + series.scale * made[kept],
        "truth": series.offset + series.scale * truth[kept],
        "origins": origins[kept],
        "horizons": reach,
        "error_by_step": np.sqrt(((made - truth) ** 2).mean(0)) / series.spread,
    }
    if isinstance(method, DrivenForecaster):
        more, found = _of_element(recipe, method, series)
        row |= more
        arrays |= found
    return Study({name: _finite(value) for name, value in row.items()}, arrays)


def energy_of(recipe: ForecastRecipe, method: Forecaster, series: ForecastSeries) -> ForecastEnergy:
    """Energy of one forecast, or of one value of an autonomous forecast, with the constants of the default chip."""
    chip, how, matrices = load_chip(), recipe.energy, method.matrices(series)
    if not isinstance(recipe.options, Driven):
        return digital_energy(chip, matrices, how.bits)
    element = recipe.options
    held = np.clip(
        series.values[series.training.start : series.test.stop], -element.largest_input, element.largest_input
    )
    assert isinstance(method, DrivenForecaster)
    return reservoir_energy(
        element,
        chip,
        matrices,
        mean_square_voltage=float(((element.offset + element.swing * held) ** 2).mean()),
        mean_mz=method.mean_mz,
        bits=how.bits,
        recovered=how.recovered,
    )


def _of_element(
    recipe: ForecastRecipe, method: DrivenForecaster, series: ForecastSeries
) -> tuple[Row, dict[str, np.ndarray]]:
    row: Row = {}
    arrays: dict[str, np.ndarray] = {}
    if recipe.one_step and not series.direct:
        row["one_step_nrmse"] = method.one_step_error(series, min(recipe.one_step, recipe.series.test - 1))
    if recipe.capacity.bits:
        found = capacities_of(recipe, method)
        row |= {"memory_capacity": found.memory_capacity, "parity_capacity": found.parity_capacity}
        arrays |= {"memory": found.memory, "parity": found.parity}
    row["intact"] = min(method.intact)
    shown = method.shown
    if shown is not None:
        start, states = shown
        arrays |= {"inputs": series.values[start : start + len(states)], "states": states}
    return row, arrays


def capacities_of(recipe: ForecastRecipe, method: DrivenForecaster) -> Capacities:
    """Capacities of the element alone, from the states of one step."""
    how, washout = recipe.capacity, recipe.read_out.washout
    before = max(washout, how.delays)
    bits = random_bits(before + how.bits, mixed_seed(recipe.seed, 1000))
    states, intact = forced_states(
        method.bare,
        2.0 * bits - 1.0,
        before,
        len(bits),
        washout=washout,
        segments=min(recipe.read_out.segments, max(how.bits // 4, 1)),
        seed=mixed_seed(recipe.seed, CAPACITY) % 2**31,
        checkpoint=method.checkpoint,
    )
    method.intact.append(intact)
    return capacities(states, bits, before=before, delays=how.delays)


def _plain(cause: str) -> str:
    return cause.lower().replace(" ", "_").replace("-", "_")


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
