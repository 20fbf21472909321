"""The job ``reservoir``: a series forecast by a reservoir, or by a method that stands beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from barkhausen.core.config import validated
from barkhausen.experiment.jobs.registry import JOBS, Column, Job, Planned, Planning, Settings
from barkhausen.experiment.reservoir.settings import ForecastRecipe
from barkhausen.experiment.work.reservoir import reservoir
from barkhausen.neuron.reservoir.parameters import Driven


def plan_forecast(planning: Planning, settings: Settings) -> Planned:
    """A forecast: its recipe decides it."""
    given = {"threads": planning.threads, **planning.placed(settings)}
    recipe = validated(ForecastRecipe, given, planning.origin)
    values = recipe.model_dump(mode="json")
    shown = {"mode": recipe.method, "seed": recipe.seed, "dataset": recipe.series.name}
    decides = {name: value for name, value in values.items() if name != "threads"}
    return Planned(decides=decides, values=values, threads=recipe.threads, shown=shown)


def datasets_of_forecast(values: Mapping[str, Any]) -> list[tuple[str, int, Mapping[str, Any]]]:
    """The series."""
    return [(values["series"]["name"], 0, {})]


def assumed_of_forecast(values: Mapping[str, Any]) -> list[str]:
    """What the element of a task assumes."""
    options = ForecastRecipe.model_validate(values).options
    return options.assumed() if isinstance(options, Driven) else []


JOBS.register(
    "reservoir",
    Job(
        what="a series forecast by a reservoir, or by a method beside it",
        columns=(
            Column("forecast_file", dtype="string"),
            Column("nrmse", "NRMSE", decimals=4, higher_is_better=False),
            Column("first_nrmse", "NRMSE of the first forecast", decimals=4, higher_is_better=False),
            Column("early_nrmse", "NRMSE of the first 84 steps", decimals=4, higher_is_better=False),
            Column("rmse", "RMSE in the unit of the series", higher_is_better=False),
            Column("unit", dtype="string"),
            Column("horizon", "median horizon", unit="steps", decimals=0, higher_is_better=True),
            Column("first_horizon", "horizon of the first forecast", unit="steps", higher_is_better=True),
            Column("shortest_horizon", unit="steps", higher_is_better=True),
            Column("longest_horizon", unit="steps", higher_is_better=True),
            Column("forecasts", dtype="Int64"),
            Column("validation_nrmse", "NRMSE on validation values", decimals=4, higher_is_better=False),
            Column("one_step_nrmse", "NRMSE by one step", decimals=4, higher_is_better=False),
            Column("taps", "steps read", dtype="Int64"),
            Column("penalty"),
            Column("weights", "numbers learnt", dtype="Int64"),
            Column("memory_capacity", "short-term-memory capacity", decimals=2, higher_is_better=True),
            Column("parity_capacity", "parity-check capacity", decimals=2, higher_is_better=True),
            Column("intact", "replicas intact", unit="%", scale=100.0, decimals=1, higher_is_better=True),
            Column("forecast_femtojoule", "energy of a forecast", unit="fJ", higher_is_better=False),
            Column("factors", "factors of the energy", dtype="string"),
        ),
        needed=("nrmse", "horizon"),
        summarised=("nrmse", "horizon"),
        plan=plan_forecast,
        work=reservoir,
        networks=False,
        datasets=datasets_of_forecast,
        assumed=assumed_of_forecast,
        cause_unit="femtojoule",
        cause_place="forecast_femtojoule",
        causes=("gate", "reads", "dac", "adc", "multiply_add", "weights", "normalise", "buffer"),
        causes_title="Energy of a forecast, or of one value of an autonomous forecast,",
        cause_axis="energy (fJ)",
        shown=(
            "nrmse",
            "horizon",
            "validation_nrmse",
            "one_step_nrmse",
            "memory_capacity",
            "parity_capacity",
            "forecast_femtojoule",
        ),
        trade_off=("forecast_femtojoule", "nrmse"),
        against=("nrmse", "horizon"),
    ),
)
