"""Settings of the analysis of a network that is left alone: waiting times, temperatures, draws and refresh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, field_validator

from barkhausen.core.config import Count, Parameters, Positive, apply_setting, validated
from barkhausen.core.plausible import checked_as

DAY = 86_400.0
YEAR = 365.25 * DAY
TEN_YEARS = 10 * YEAR

Times = Annotated[tuple[Positive, ...], Field(min_length=1)]
Temperature = Annotated[Positive, checked_as("temperature")]

Which = Literal["trained", "transferred"]


class RetentionSettings(Parameters):
    """Waiting times, temperatures, draws and refresh."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    times: Times = (1.0, 60.0, 3600.0, DAY, 30 * DAY, YEAR, TEN_YEARS)
    """Waiting times in s."""
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1)] = (300.0, 330.0, 358.0, 398.0)
    """Temperatures in K."""
    draws: Count = 10
    """Number of draws: chips of fresh devices for a transferred network, histories of the trained chip otherwise."""
    network: Which | None = None
    """``trained``: the devices that were programmed during training; ``transferred``: fresh chips programmed with the
    trained states. Default: ``trained`` for a learning rule that programs devices while it trains."""
    tolerance: Annotated[float, Field(gt=0, lt=1)] = 0.001
    """Largest loss of accuracy that a refresh may leave, as a fraction: 0.001 is 0.1 percentage points."""
    refresh: bool = True
    """Whether the power of refreshing is found as well."""
    cycles: Annotated[int, Field(ge=1, le=1000)] = 4
    """Number of cycles of waiting and refreshing that are simulated."""
    attempts: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Largest number of write-verify attempts of a refresh. Default: that of ``transfer`` in the recipe."""

    @field_validator("times", "temperatures")
    @classmethod
    def _each_once_in_order(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(sorted(set(values)))

    @property
    def horizon(self) -> float:
        """Longest waiting time in s; no refresh is planned beyond it."""
        return max(self.times)


def load_settings(settings: Sequence[str] = ()) -> RetentionSettings:
    """Settings from assignments ``key=value``, such as ``draws=20`` or ``temperatures=[300, 358]``.

    Raises:
        InputError: A key or value is wrong.
    """
    values: dict[str, Any] = {}
    for setting in settings:
        apply_setting(values, setting)
    return validated(RetentionSettings, values, "--set", settings)
