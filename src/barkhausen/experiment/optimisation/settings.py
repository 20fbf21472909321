"""The tables ``[optimizer]``, ``[loss]``, ``[averaging]`` and ``[device.margin_schedule]`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from barkhausen.core.config import Count, Fraction, LaterKeys, NotNegative, Positive, StrictParameters
from barkhausen.learning.rules.margin_schedule import CosineMargin, LinearMargin

RateSchedule = Literal["cosine", "constant", "exponential", "one-cycle", "linear"]


class OptimizerRecipe(LaterKeys):
    """Optimiser of the digital parameters."""

    name: Literal["adam", "adamw", "sgd", "layer-rms"] = "adam"
    rate: Positive = 1e-3
    """Learning rate of float weights, biases and normalisation."""
    latent_rate: Positive | None = None
    """Learning rate of the synapses' latent weight, which lives on [−1, 1]. Default: 6e-3 in situ, 3e-2 ex situ."""
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    """Momentum of sgd."""
    weight_decay: NotNegative = 0.0
    """Weight decay of float weights, biases and normalisation; never of the latent weight."""
    schedule: RateSchedule = "cosine"
    """Schedule of both rates: ``cosine`` over the epochs, which ends just above zero; ``constant``; ``exponential``
    from epoch to epoch; at every step: ``one-cycle``, up and down in straight lines, or ``linear``, down alone."""
    rate_decay: Annotated[float, Field(gt=0, le=1)] = 0.985
    """Factor of the exponential schedule from one epoch to the next."""
    nesterov: bool = False
    """Whether the momentum of sgd is Nesterov's."""
    bias_factor: Positive = 1.0
    """Factor on the rate of biases, those of normalisations included; their weight decay in a step stays the same."""
    latent_schedule: RateSchedule | None = None
    """Schedule of the latent rate alone. Default: ``schedule``."""
    warm_up: Annotated[float, Field(ge=0, lt=1)] = 0.23
    """Share of the training in which one-cycle goes up."""
    start_factor: Fraction = 0.2
    """First rate of one-cycle as a fraction of the rate."""
    end_factor: Fraction = 0.07
    """Last rate of one-cycle and linear as a fraction of the rate."""

    @classmethod
    def later(cls) -> tuple[str, ...]:
        """Keys that came later."""
        return ("rate_decay", "nesterov", "bias_factor", "latent_schedule", "warm_up", "start_factor", "end_factor")

    def kept(self) -> tuple[str, ...]:
        """The factor of the exponential schedule, where that is the schedule."""
        return ("rate_decay",) if self.schedule == "exponential" else ()

    @model_validator(mode="after")
    def _nesterov_is_of_sgd(self) -> OptimizerRecipe:
        if self.nesterov and (self.name != "sgd" or not self.momentum):
            raise ValueError(f"nesterov = true needs name = 'sgd' with a momentum, not name = {self.name!r}")
        return self


class LossRecipe(LaterKeys):
    """What classification minimises."""

    kind: Literal["cross-entropy", "squared-error"] = "cross-entropy"
    """``squared-error``: half the sum of the squared differences from one-hot targets."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of the target that is spread over all classes (C. Szegedy et al., CVPR 2016)."""
    teacher: str | None = None
    """Directory of a finished run, whose outputs are learnt beside the labels (distillation). Default: none."""
    temperature: Positive = 4.0
    """Temperature at which the probabilities of both networks are compared."""
    weight: Annotated[float, Field(gt=0, le=1)] = 0.5
    """Weight of that comparison; the loss of the labels has the rest."""

    def kept(self) -> tuple[str, ...]:
        """What decides a distillation, where there is one."""
        return () if self.teacher is None else ("temperature", "weight")

    @model_validator(mode="after")
    def _distils_probabilities(self) -> LossRecipe:
        if self.teacher is not None and self.kind != "cross-entropy":
            raise ValueError(f"teacher needs kind = 'cross-entropy', not kind = {self.kind!r}")
        if self.teacher is None and {"temperature", "weight"} & self.model_fields_set:
            raise ValueError("temperature and weight are those of a teacher; name one (teacher = a finished run)")
        return self


class AveragingRecipe(LaterKeys):
    """Averaging of weights over the last part of a training (P. Izmailov et al., UAI 2018).

    After the last epoch, the parameters, latent weights included, are replaced by their averages, devices that are
    outside the margin of theirs are programmed, and the statistics of normalisations are measured anew.
    """

    every: Annotated[int, Field(ge=0)] = 0
    """Steps from one contribution to the next; 0: no averaging."""
    start: Fraction = 0.75
    """Share of the training after which averaging begins."""
    decay: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Weight of the average before a contribution (exponential moving average). Default: all contributions weigh the
    same."""


class MarginScheduleRecipe(StrictParameters):
    """Factor on the tolerance margin that changes during training."""

    first: NotNegative = 1.0
    """Factor at the first step."""
    last: NotNegative = 1.0
    """Factor at the last step."""
    shape: Literal["linear", "cosine"] = "linear"
    epochs: Count | None = None
    """Epochs after which the last factor is reached. Default: all."""

    def over(self, steps: int) -> LinearMargin | CosineMargin:
        """The schedule over a number of steps."""
        kind = LinearMargin if self.shape == "linear" else CosineMargin
        return kind(self.first, self.last, steps)
