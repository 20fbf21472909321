"""Forecasts by driven elements with a linear read-out: magnetic reservoirs, echo-state networks, delay lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Int

from barkhausen.core.config import NoOptions, Parameters
from barkhausen.core.errors import OutcomeError
from barkhausen.core.seeds import mixed_seed
from barkhausen.experiment.reservoir.methods import LARGEST, METHODS, Fitted, Forecaster, Method, Workplace
from barkhausen.experiment.reservoir.series import ForecastSeries
from barkhausen.neuron.reservoir import (
    Checkpoint,
    CoupledDots,
    DelayLine,
    EchoStateNetwork,
    EchoStateOptions,
    Element,
    Feedback,
    LinearReadOut,
    Macrospin,
    SkyrmionDisc,
    WithInput,
    coupled_dots,
    drive,
    forced_states,
    macrospin,
    nrmse,
    ridge,
    skyrmion_disc,
    with_taps,
)
from barkhausen.neuron.reservoir.energy import Matrix
from barkhausen.neuron.reservoir.read_out import recursive_read_out

if TYPE_CHECKING:
    from barkhausen.experiment.reservoir.settings import ForecastRecipe, ReadOutTable

TRAINING, VALIDATION, TEST, ONE_STEP, CAPACITY = range(5)
"""Numbers of the seeds of the noise."""

SHOWN = 60
"""Steps whose states are kept for pages."""


class DrivenForecaster(Forecaster):
    """An element with a linear read-out of its last states.

    Args:
        element: Element.
        table: Read-out.
        seed: Seed of the noise.
        place: Where runs are kept.
    """

    def __init__(self, element: Element, table: ReadOutTable, seed: int, place: Workplace) -> None:
        self.bare, self.table, self.seed = element, table, seed
        self.element: Element = WithInput(element) if table.inputs else element
        self.checkpoint = None if place.folder is None else Checkpoint(place.folder / "runs")
        self.intact: list[float] = []
        self._chosen: tuple[int, LinearReadOut] | None = None
        self._forced: tuple[int, Float[np.ndarray, "time node"]] | None = None
        self.shown: tuple[int, Float[np.ndarray, "time node"]] | None = None
        """Place of the first of some training states, and these."""
        self.mean_mz = 0.0
        """Mean of all training states."""

    # ---- learning ---------------------------------------------------------------------------------------------------

    def fit(self, series: ForecastSeries) -> Fitted:
        """Read-outs for all numbers of steps and penalties from the training part; validation chooses one."""
        ahead = series.table.steps if series.direct else 1
        reach = max(self.table.taps)
        first = series.training.start - 1
        last = (series.test.stop if series.direct else series.training.stop) - ahead
        states = self.states(series, first - reach + 1, last, TRAINING)
        self.shown, self.mean_mz = (
            (first - reach + 1, states[:SHOWN, : self.bare.nodes]),
            float(states[:, : self.bare.nodes].mean()),
        )
        count = series.training.stop - ahead - first
        origins = np.arange(first, first + count)
        targets = series.truth(origins, ahead)
        candidates: list[tuple[int, float, LinearReadOut]] = []
        for taps in self.table.taps:
            features = with_taps(states[reach - taps : reach - 1 + count], taps)
            if self.table.rule == "ridge":
                found = ridge(features, targets, self.table.penalties)
            else:
                found = [
                    recursive_read_out(features, targets, penalty, self.table.forgetting)
                    for penalty in self.table.penalties
                ]
            candidates += [(taps, penalty, each) for penalty, each in zip(self.table.penalties, found, strict=True)]
        if series.direct:
            self._forced = (first - reach + 1, states)
            errors = [self._direct_error(series, taps, each) for taps, _, each in candidates]
        else:
            errors = self._autonomous_errors(series, [(taps, each) for taps, _, each in candidates])
        best = int(np.argmin(errors))
        if not np.isfinite(errors[best]):
            raise OutcomeError("read_out: no penalty gives a finite forecast of the validation part")
        taps, penalty, read_out = candidates[best]
        self._chosen = (taps, read_out)
        scores = {
            f"{taps} steps, {penalty:g}": error for (taps, penalty, _), error in zip(candidates, errors, strict=True)
        }
        return Fitted(
            errors[best],
            {"taps": taps, "penalty": penalty, "candidates": scores},
            read_out.weights.size + read_out.constant.size,
        )

    def states(self, series: ForecastSeries, first: int, last: int, number: int) -> Float[np.ndarray, "time node"]:
        """States after a range of values, as segments side by side."""
        found, intact = forced_states(
            self.element,
            series.values,
            first,
            last,
            washout=self.table.washout,
            segments=min(self.table.segments, max((last - first) // 4, 1)),
            seed=mixed_seed(self.seed, number) % 2**31,
            checkpoint=self.checkpoint,
        )
        self.intact.append(intact)
        return found

    def one_step_error(self, series: ForecastSeries, values: int) -> float:
        """Error of forecasting the first values of the test part by one step, relative to the spread."""
        assert self._chosen is not None
        taps, read_out = self._chosen
        origins = np.arange(series.test.start - 1, series.test.start - 1 + values)
        states = self.states(series, int(origins[0]) - taps + 1, int(origins[-1]) + 1, ONE_STEP)
        return nrmse(read_out(with_taps(states, taps))[:, :1], series.truth(origins, 1), series.spread)

    # ---- forecasts --------------------------------------------------------------------------------------------------

    def forecast(
        self, series: ForecastSeries, origins: Int[np.ndarray, " origin"], steps: int
    ) -> Float[np.ndarray, "origin step"]:
        """By the chosen read-out."""
        assert self._chosen is not None
        taps, read_out = self._chosen
        if series.direct:
            return self._direct(series, taps, read_out, origins)
        return self._autonomous(series, [(taps, read_out)] * len(origins), origins, steps, TEST)

    def matrices(self, series: ForecastSeries) -> list[Matrix]:
        """Those of the element, and the read-out."""
        assert self._chosen is not None
        features, outputs = self._chosen[1].weights.shape
        return [*self.bare.matrices, (outputs, features, 1)]

    def _direct(
        self, series: ForecastSeries, taps: int, read_out: LinearReadOut, origins: Int[np.ndarray, " origin"]
    ) -> Float[np.ndarray, "origin step"]:
        assert self._forced is not None
        first, states = self._forced
        features = with_taps(states[origins[0] - first - taps + 1 : origins[-1] - first + 1], taps)
        return read_out(features[origins - origins[0]])

    def _direct_error(self, series: ForecastSeries, taps: int, read_out: LinearReadOut) -> float:
        origins = series.validation_origins()
        truth = series.truth(origins, series.table.steps)
        return nrmse(self._direct(series, taps, read_out, origins), truth, series.spread)

    def _autonomous_errors(self, series: ForecastSeries, candidates: list[tuple[int, LinearReadOut]]) -> list[float]:
        """Error of each candidate on the validation part; all of them run side by side."""
        origins, steps = series.validation_origins(), series.validation_steps
        every = [candidate for candidate in candidates for _ in origins]
        made = self._autonomous(series, every, np.tile(origins, len(candidates)), steps, VALIDATION)
        truth = series.truth(origins, steps)
        parts = made.reshape(len(candidates), len(origins), steps)
        return [nrmse(part, truth, series.spread) for part in parts]

    def _autonomous(
        self,
        series: ForecastSeries,
        read_outs: list[tuple[int, LinearReadOut]],
        origins: Int[np.ndarray, " origin"],
        steps: int,
        number: int,
    ) -> Float[np.ndarray, "origin step"]:
        """Closed loops side by side, each with a read-out of its own."""
        reach, nodes = max(taps for taps, _ in read_outs), self.element.nodes
        weights = np.zeros((len(origins), reach, nodes))
        for place, (taps, read_out) in enumerate(read_outs):
            # Of features, the latest step comes first; of states, last.
            weights[place, reach - taps :] = read_out.weights[:, 0].reshape(taps, nodes)[::-1]
        constant = np.array([read_out.constant[0] for _, read_out in read_outs])

        def predict(states: Float[np.ndarray, "sequence reach node"]) -> Float[np.ndarray, " sequence"]:
            return np.asarray(np.clip((states * weights).sum((1, 2)) + constant, -LARGEST, LARGEST))

        warm = self.table.washout + reach
        name = hashlib.sha256("".join(f"{taps} {each.digest} " for taps, each in read_outs).encode()).hexdigest()
        record = drive(
            self.element,
            series.values[origins[:, None] + np.arange(1 - warm, 1)],
            seed=mixed_seed(self.seed, number) % 2**31,
            feedback=Feedback(steps, reach, predict, name),
            checkpoint=self.checkpoint,
        )
        self.intact.append(record.intact)
        return record.outputs


def _register(name: str, label: str, build: Callable[[Any, int], Element], options: type[Parameters]) -> None:
    def make(recipe: ForecastRecipe, place: Workplace) -> Forecaster:
        return DrivenForecaster(build(recipe.options, recipe.seed), recipe.read_out, recipe.seed, place)

    METHODS.register(name, Method(label, make, options, driven=True))


_register("skyrmion", "skyrmion in a disc", lambda options, seed: skyrmion_disc(options), SkyrmionDisc)
_register("dots", "coupled dots", lambda options, seed: coupled_dots(options), CoupledDots)
_register("macrospin", "macrospin", lambda options, seed: macrospin(options), Macrospin)
_register("echo-state", "echo-state network", EchoStateNetwork, EchoStateOptions)
_register("autoregression", "linear autoregression", lambda options, seed: DelayLine(), NoOptions)
