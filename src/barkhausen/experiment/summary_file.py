"""``summary.json`` of a finished run, read and checked: it may have been edited, or be of an earlier version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from barkhausen.core.config import Fraction, Real, validated
from barkhausen.core.errors import InputError
from barkhausen.core.files import read_json
from barkhausen.experiment.summary import SCHEMA, upgraded

Amount = Annotated[float, Field(ge=0)]


class Table(BaseModel):
    """Part of a file that a run wrote; keys that are not named here are left alone."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Dataset(Table):
    name: str
    source: str
    train_samples: Annotated[int, Field(ge=1)]
    test_samples: int
    validation_samples: int


class _Device(Table):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | float | None]
    source: str
    max_attempts: Annotated[int, Field(ge=1)] | None = None


class _Chips(Table):
    count: int
    mean: Real
    std: Amount
    values: list[Real] = Field(default=[])
    max_attempts: Annotated[int, Field(ge=1)] | None = None


class _Score(Table):
    name: str
    label: str
    unit: str
    scale: float
    decimals: int | None
    higher_is_better: bool
    test: Real | None
    validation: Real | None
    train: Real


class _Layer(Table):
    initial_events: Amount


class _State(Table):
    events: Amount
    attempts: Amount
    failed: Amount


class _Programming(Table):
    initial_events: Amount
    training_events: Amount
    attempts: Amount
    failed: Amount
    by_layer: dict[str, _Layer]
    by_state: dict[str, _State]


class _Energy(Table):
    programming_joule: Amount
    per_inference_joule: Amount
    by_cause: dict[str, Amount]
    labels: dict[str, str]


class _Neurons(Table):
    samples: Annotated[int, Field(ge=1)]
    spikes_per_inference: Amount
    operations_per_inference: dict[str, Amount]
    per_inference_joule: Amount | None
    by_cause: dict[str, Amount]
    labels: dict[str, str]
    no_energies: str = ""


class Summary(Table):
    """What the page needs of a ``summary.json``; what else is in there is left alone."""

    mode: str
    states: int | None
    seed: int
    epochs: Annotated[int, Field(ge=1)]
    dataset: _Dataset
    device: _Device
    test_accuracy: Fraction | None
    validation_accuracy: Fraction | None
    train_accuracy: Fraction | None
    score: _Score | None = None
    precursor_accuracy: Real | None = None
    chips: _Chips
    unseen_chips: _Chips | None = Field(default=None, validation_alias=AliasChoices("unseen_chips", "fresh_chip_copy"))
    programming: _Programming
    energy: _Energy
    neurons: _Neurons | None = None
    recipe: dict[str, Any]
    steps: Annotated[int, Field(ge=1)] | None = None
    wall_seconds: Amount
    assumed: list[str]
    notes: list[str] = []
    software: dict[str, str | int]

    @model_validator(mode="after")
    def _measured(self) -> Summary:
        if self.score is not None:
            if self.score.test is None and self.score.validation is None:
                raise ValueError("score: test or validation must be a number")
        elif self.test_accuracy is None and self.validation_accuracy is None:
            raise ValueError("test_accuracy, validation_accuracy: one of them must be a number")
        elif self.train_accuracy is None:
            raise ValueError("train_accuracy: must be a number")
        elif not all(0 <= value <= 1 for value in self._accuracies()):
            raise ValueError("chips, unseen_chips, precursor_accuracy: accuracies must be from 0 to 1")
        if self.states is not None and self.energy.by_cause.keys() != self.energy.labels.keys():
            raise ValueError("energy: by_cause and labels must have the same keys")
        return self

    def _accuracies(self) -> list[float]:
        """Values of single and of all chips, and of the precursor."""
        chips = [part for part in (self.chips, self.unseen_chips) if part is not None]
        own = [] if self.precursor_accuracy is None else [self.precursor_accuracy]
        return own + [value for part in chips for value in (part.mean, *part.values)]


def read_summary(path: str | Path) -> tuple[dict[str, Any], Summary]:
    """Summary of one run in the present layout, as it stands in the file and checked.

    Raises:
        InputError: The file is missing, damaged, not of one run, or of a later version.
    """
    path = Path(path)
    summary = read_json(path)
    if not isinstance(summary, dict):
        raise InputError(f"{path}: is not of one run; name the directory of each run")
    schema = summary.get("schema")
    if schema not in range(1, SCHEMA + 1):
        raise InputError(f"{path}: has schema {schema!r}, this version reads schemas up to {SCHEMA}")
    summary = upgraded(summary)
    return summary, validated(Summary, summary, str(path))
