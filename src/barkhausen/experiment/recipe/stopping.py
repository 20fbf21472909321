"""Tables ``[stopping]`` and ``[evaluation]`` of a recipe."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from barkhausen.core.config import Count, StrictParameters


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
