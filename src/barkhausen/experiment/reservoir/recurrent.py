"""Forecasts by an LSTM and by a sequence-to-sequence LSTM, trained on the same values as the reservoirs.

S. Hochreiter, J. Schmidhuber, Neural Computation 9, 1735 (1997); I. Sutskever, O. Vinyals, Q. V. Le, NeurIPS 2014.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Annotated

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from barkhausen.core.config import Count, Parameters, Positive
from barkhausen.core.errors import OutcomeError
from barkhausen.core.seeds import stream
from barkhausen.experiment.reservoir.methods import LARGEST, METHODS, Fitted, Forecaster, Method
from barkhausen.experiment.reservoir.series import ForecastSeries
from barkhausen.neuron.reservoir.energy import Matrix
from barkhausen.neuron.reservoir.scores import nrmse

if TYPE_CHECKING:
    from barkhausen.experiment.reservoir.settings import ForecastRecipe

State = tuple[Tensor, Tensor]


class LstmOptions(Parameters):
    """Sizes and training of an LSTM; the weights are those with the least error of the validation part."""

    hidden: Count = 32
    """Hidden units."""
    window: Annotated[int, Field(ge=2)] = 60
    """Known values that a forecast is made from."""
    unroll: Count = 40
    """Values that a training sample forecasts after its window."""
    updates: Count = 2000
    """Steps of the optimiser (Adam)."""
    batch: Count = 32
    """Samples of a step, drawn from all places of the training part."""
    rate: Positive = 3e-3
    """Rate of learning at first; it falls to zero along a cosine."""
    check_every: Count = 100
    """Steps between two checks on the validation part."""


class Lstm(nn.Module):
    """One LSTM layer whose linear read-out forecasts after every step."""

    def __init__(self, hidden: int, outputs: int) -> None:
        super().__init__()
        self.layer = nn.LSTM(1, hidden, batch_first=True)
        self.output = nn.Linear(hidden, outputs)

    def forward(self, x: Float[Tensor, "sample step"], state: State | None = None) -> tuple[Tensor, State]:
        """Outputs after each step, and the last state."""
        hidden, last = self.layer(x[..., None], state)
        return self.output(hidden), last

    def loss(self, x: Float[Tensor, "sample time"], window: int, ahead: int) -> Tensor:
        """Mean squared error of the forecasts after the window, and of those within it beyond a quarter."""
        steps = x.shape[1] - ahead
        out, _ = self(x[:, :steps])
        wanted = x.unfold(1, ahead, 1)[:, 1:]
        found: Tensor = ((out - wanted)[:, window // 4 :] ** 2).mean()
        return found

    def run(self, known: Float[Tensor, "sample window"], steps: int) -> Float[Tensor, "sample step"]:
        """Values after the window: the outputs of its last step, or one by one with each output as the next input."""
        out, state = self(known)
        if self.output.out_features > 1:
            last: Tensor = out[:, -1]
            return last
        made = [out[:, -1].clamp(-LARGEST, LARGEST)]
        for _ in range(steps - 1):
            out, state = self(made[-1], state)
            made.append(out[:, -1].clamp(-LARGEST, LARGEST))
        return torch.cat(made, 1)

    def matrices(self, steps: int) -> list[Matrix]:
        """Those of one step."""
        hidden = self.layer.hidden_size
        return [(4 * hidden, 1 + hidden, 1), (self.output.out_features, hidden, 1)]


class SequenceToSequence(nn.Module):
    """An LSTM that reads the window, and one that starts from its state and writes value by value."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.encoder = nn.LSTM(1, hidden, batch_first=True)
        self.decoder = nn.LSTM(1, hidden, batch_first=True)
        self.output = nn.Linear(hidden, 1)

    def loss(self, x: Float[Tensor, "sample time"], window: int, ahead: int) -> Tensor:
        """Mean squared error of all values after the window; the decoder reads its own outputs."""
        return ((self.run(x[:, :window], x.shape[1] - window) - x[:, window:]) ** 2).mean()

    def run(self, known: Float[Tensor, "sample window"], steps: int) -> Float[Tensor, "sample step"]:
        """Values after the window."""
        _, state = self.encoder(known[..., None])
        made = [known[:, -1:]]
        for _ in range(steps):
            hidden, state = self.decoder(made[-1][..., None], state)
            made.append(self.output(hidden[:, -1]).clamp(-LARGEST, LARGEST))
        return torch.cat(made[1:], 1)

    def matrices(self, steps: int) -> list[Matrix]:
        """Of one forecast of so many values: a step of the encoder, and one of decoder and output for each value."""
        hidden = self.encoder.hidden_size
        return [(4 * hidden, 1 + hidden, 1), (4 * hidden, 1 + hidden, steps), (1, hidden, steps)]


class RecurrentForecaster(Forecaster):
    """A recurrent network and its training.

    Args:
        recipe: Recipe.
        sequence_to_sequence: Whether a decoder writes the values.
    """

    def __init__(self, recipe: ForecastRecipe, sequence_to_sequence: bool) -> None:
        assert isinstance(recipe.options, LstmOptions)
        self.options, self.seed, self.decoded = recipe.options, recipe.seed, sequence_to_sequence
        self.model: Lstm | SequenceToSequence | None = None

    def fit(self, series: ForecastSeries) -> Fitted:
        """Train, and keep the weights with the least error of the validation part."""
        how = self.options
        ahead = series.table.steps if series.direct else 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            model = SequenceToSequence(how.hidden) if self.decoded else Lstm(how.hidden, ahead)
        unroll = ahead if self.decoded and series.direct else how.unroll
        values = torch.from_numpy(series.values).float()
        length = how.window + unroll + (0 if self.decoded else ahead - 1)
        # Windows may begin before the training part; what they forecast does not lie beyond it.
        starts = torch.arange(max(series.training.start - how.window, 0), series.training.stop - length + 1)
        if not len(starts):
            raise OutcomeError(
                f"options.window = {how.window}: a sample of {length} values is longer than the training"
            )
        draw = stream(self.seed, "windows")
        optimiser = torch.optim.Adam(model.parameters(), lr=how.rate)
        rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, how.updates)
        origins, steps = series.validation_origins(), series.validation_steps
        truth = series.truth(origins, steps)
        best, kept, at = float("inf"), copy.deepcopy(model.state_dict()), 0
        for update in range(1, how.updates + 1):
            chosen = starts[torch.randint(len(starts), (how.batch,), generator=draw)]
            loss = model.loss(values[chosen[:, None] + torch.arange(length)], how.window, ahead)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            rate.step()
            if update % how.check_every == 0 or update == how.updates:
                self.model = model
                error = nrmse(self.forecast(series, origins, steps), truth, series.spread)
                if error < best:
                    best, kept, at = error, copy.deepcopy(model.state_dict()), update
        model.load_state_dict(kept)
        self.model = model
        return Fitted(best, {"updates": at}, sum(each.numel() for each in model.parameters()))

    def forecast(
        self, series: ForecastSeries, origins: Int[np.ndarray, " origin"], steps: int
    ) -> Float[np.ndarray, "origin step"]:
        """From the window before each origin."""
        assert self.model is not None
        window = min(self.options.window, int(origins.min()) + 1)
        known = series.values[origins[:, None] + np.arange(1 - window, 1)]
        with torch.no_grad():
            return self.model.run(torch.from_numpy(known).float(), steps).double().numpy()

    def matrices(self, series: ForecastSeries) -> list[Matrix]:
        """Those of one forecast; of one value where the forecast is autonomous."""
        assert self.model is not None
        found = self.model.matrices(series.table.steps if series.direct else 1)
        # In the middle of an autonomous forecast the encoder has done its work.
        return found[1:] if self.decoded and not series.direct else found


METHODS.register("lstm", Method("LSTM", lambda recipe, place: RecurrentForecaster(recipe, False), LstmOptions))
METHODS.register(
    "seq2seq",
    Method("sequence-to-sequence LSTM", lambda recipe, place: RecurrentForecaster(recipe, True), LstmOptions),
)
