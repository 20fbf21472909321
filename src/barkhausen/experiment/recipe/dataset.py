"""Table ``[dataset]`` of a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
)

from barkhausen.core.config import (
    NoOptions,
    Parameters,
    StrictParameters,
    name_in,
    own_options,
)
from barkhausen.data import DATASETS, Dataset, load_dataset


class DatasetRecipe(StrictParameters):
    """Data set, and the part of it on which hyper-parameters are chosen."""

    name: Annotated[str, name_in(DATASETS)] = "mnist"
    """``mnist``, ``fashion-mnist``, ``cifar10``, ``digits``, ``nsl-kdd`` or another registered data set."""
    validation_samples: Annotated[int, Field(ge=0)] = 0
    """Training samples set aside; if there are any, accuracy is measured on them and the test set is not used."""
    scaling: Literal["standard", "symmetric", "unit"] = "standard"
    """Scaling of the samples: ``standard`` (zero mean, unit standard deviation), ``symmetric`` (from [0, 1], or the
    range of the training part of a series, to [−1, 1]) or ``unit`` ([0, 1], as loaded)."""
    test_every_epoch: bool = True
    """Whether the test set is used after every epoch, for the learning curve, or after the last one alone."""
    options: SerializeAsAny[Parameters] = Field(default_factory=NoOptions, validate_default=True)
    """Keys of the data set's own, where it has any, such as the windows of a series."""

    @field_validator("options", mode="plain")
    @classmethod
    def _options_of_the_data_set(cls, given: Any, info: ValidationInfo) -> Parameters:
        entry = DATASETS.find(info.data.get("name"))
        return NoOptions() if entry is None else own_options(entry.options, given)

    pool: Annotated[int, Field(ge=1, le=64)] = 1
    """Edge in pixels of the squares of an image of which the largest pixel alone is kept."""
    threshold: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Inputs, which lie in [0, 1], become 1 above it and 0 elsewhere. Default: they are standardised."""

    mirrored_test: bool = False
    """Whether a further figure is the accuracy of outputs averaged over each image and its mirror image (test-time
    augmentation); the accuracy itself is always that of the images as they are."""

    def load(self, data_dir: Path | None = None) -> Dataset:
        """The data set, scaled, with its validation samples set aside.

        Args:
            data_dir: Root of the data sets.

        Raises:
            InputError: Its files cannot be used, or there are too few samples.
        """
        dataset = self.shaped(load_dataset(self.name, data_dir, options=self.options))
        if self.validation_samples:
            dataset = dataset.with_validation(self.validation_samples)
        if self.scaling == "unit":
            return dataset
        return dataset.standardised() if self.scaling == "standard" else dataset.symmetric()

    def shaped(self, dataset: Dataset) -> Dataset:
        """The data set with smaller or binary images, where the recipe asks for them."""
        if self.pool > 1:
            dataset = dataset.pooled(self.pool)
        return dataset if self.threshold is None else dataset.binary(self.threshold)

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Resolved recipes of runs that were made before the keys existed stay the same text.
        values: dict[str, Any] = handler(self)
        usual = {"test_every_epoch": True, "scaling": "standard", "mirrored_test": False, "options": {}}
        usual |= {"pool": 1, "threshold": None}
        return {key: value for key, value in values.items() if key not in usual or value != usual[key]}
