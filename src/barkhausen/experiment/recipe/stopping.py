"""Tables ``[stopping]`` and ``[evaluation]`` of a recipe."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from barkhausen.core.config import Count, StrictParameters
from barkhausen.learning.uncertainty.measured import BINS
from barkhausen.learning.uncertainty.members import Member


class StoppingRecipe(StrictParameters):
    """Early stopping: training ends when the loss on samples set aside no longer falls, and the best epoch is kept."""

    patience: Count | None = None
    """Epochs without a lower loss after which training ends. Default: all epochs are trained, and the last is kept."""
    share: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the training samples that is set aside; the network does not learn from them."""

    def samples(self, available: int) -> int:
        """Number of samples set aside."""
        return max(1, round(self.share * available))


class EvaluationRecipe(StrictParameters):
    """Evaluation of the trained network on the held-out samples."""

    repeats: Annotated[int, Field(ge=1, le=10_000)] = 1
    """Number of evaluations, of which the accuracy is the mean; a network that is read stochastically differs each
    time."""

    uncertainty: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Number of members (stochastic passes, or chips) over which uncertainty is measured: calibration, scores,
    entropies and rejection of the predictive mean. Default: it is not measured."""
    uncertainty_over: Member = "auto"
    """What the members are: ``passes``, ``chips``, or the ``network`` alone; ``auto``: passes of a network that draws
    random numbers, chips of one on devices, and any other network alone."""
    uncertainty_bins: Annotated[int, Field(ge=1, le=1000)] = BINS
    """Bins of confidence of the calibration error."""

    @model_validator(mode="after")
    def _keys_of_uncertainty(self) -> EvaluationRecipe:
        idle = self.model_fields_set & {"uncertainty_over", "uncertainty_bins"}
        if idle and not self.uncertainty:
            raise ValueError(f"{min(idle)} has no effect without uncertainty, the number of members")
        return self

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Resolved recipes of runs that were made before the keys existed stay the same text.
        values: dict[str, Any] = handler(self)
        return {key: value for key, value in values.items() if self.uncertainty or not key.startswith("uncertainty")}
