"""Augmentation of images in the training loop: flips, shifts and cut-outs, drawn for a whole epoch at a time.

All draws of an epoch are made before its first step, from one random stream, so an epoch is the same however it is
split into batches, and a step neither draws nor waits. Images are standardised, so that zero is their mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own convention
from jaxtyping import Bool, Float, Int
from pydantic import Field, SerializerFunctionWrapHandler, model_serializer
from torch import Tensor

from barkhausen.core.config import StrictParameters
from barkhausen.core.errors import InputError

Size = Annotated[int, Field(ge=0)]


class Augmentation(StrictParameters):
    """The table ``[augment]`` of a recipe; by default images are left as they are."""

    flip: Literal["none", "random", "alternating"] = "none"
    """Mirror images: ``random``: each with probability one half; ``alternating``: a random half of them in the first
    epoch, the others in the second, and so on (K. Jordan, arXiv:2404.00498)."""
    shift: Size = 0
    """Largest shift along rows and along columns, in pixels."""
    padding: Literal["reflect", "edge", "zero"] = "reflect"
    """What a shift brings in: the reflected image, its edge pixels, or zeros (the mean of standardised images)."""
    cutout: Size = 0
    """Side of a square of zeros in every image, in pixels (T. DeVries and G. W. Taylor, arXiv:1708.04552)."""

    @property
    def active(self) -> bool:
        """Whether images are changed at all."""
        return self.flip != "none" or self.shift > 0 or self.cutout > 0

    @model_serializer(mode="wrap")
    def _without_the_usual(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Resolved recipes of runs without augmentation stay the same text.
        values: dict[str, Any] = handler(self)
        return values if self.active else {}


@dataclass(frozen=True, eq=False)
class Draws:
    """What happens to each training sample in one epoch; None for what is not asked for."""

    flipped: Bool[Tensor, " sample"] | None
    shifts: Int[Tensor, "2 sample"] | None
    """First row and column of the window in the padded image."""
    corners: Int[Tensor, "2 sample"] | None
    """First row and column of the square of zeros."""

    def of(self, index: Int[Tensor, " batch"]) -> Draws:
        """Draws of some samples."""
        flipped, shifts, corners = self.flipped, self.shifts, self.corners
        return Draws(
            None if flipped is None else flipped.index_select(0, index),
            None if shifts is None else shifts.index_select(1, index),
            None if corners is None else corners.index_select(1, index),
        )


class Augmenter:
    """Augmentation of the training samples of one data set.

    Args:
        settings: What is done.
        image_shape: Rows and columns of an image, or channels, rows and columns.
        samples: Number of training samples.
        fixed: Random stream of what stays the same in all epochs.
        origin: Name of the data set for messages.

    Raises:
        InputError: Samples are no images, or a shift or square is larger than they are.
    """

    def __init__(
        self,
        settings: Augmentation,
        image_shape: tuple[int, ...],
        samples: int,
        fixed: torch.Generator,
        origin: str = "the data set",
    ) -> None:
        if len(image_shape) not in (2, 3):
            raise InputError(f"augment: {origin} has no images")
        self.settings, self.samples = settings, samples
        self.shape = (1, *image_shape) if len(image_shape) == 2 else image_shape
        smallest = min(self.shape[1:])
        for name, most in (("shift", smallest - 1), ("cutout", smallest)):
            value = getattr(settings, name)
            if value > most:
                raise InputError(
                    f"augment.{name} = {value}: must be at most {most} for the images of {origin}, which have "
                    f"{self.shape[1]} x {self.shape[2]} pixels"
                )
        self.first_half = torch.rand(samples, generator=fixed) < 0.5

    def draws(self, epoch: int, generator: torch.Generator, where: torch.device | str = "cpu") -> Draws:
        """What happens to each sample in an epoch.

        Args:
            epoch: Number of finished epochs.
            generator: Random stream, on the CPU.
            where: Torch device of the images.
        """
        settings = self.settings
        flipped = shifts = corners = None
        if settings.flip == "random":
            flipped = torch.rand(self.samples, generator=generator) < 0.5
        elif settings.flip == "alternating":
            flipped = self.first_half if epoch % 2 == 0 else ~self.first_half
        if settings.shift:
            shifts = torch.randint(2 * settings.shift + 1, (2, self.samples), generator=generator).to(where)
        if settings.cutout:
            places = torch.tensor([[size - settings.cutout + 1] for size in self.shape[1:]])
            corners = (torch.rand((2, self.samples), generator=generator) * places).long().to(where)
        return Draws(None if flipped is None else flipped.to(where), shifts, corners)

    def apply(self, rows: Float[Tensor, "batch feature"], draws: Draws) -> Float[Tensor, "batch feature"]:
        """A batch of augmented images.

        Args:
            rows: Images as rows of pixels.
            draws: Draws of these samples.
        """
        images = rows.view(-1, *self.shape)
        if draws.shifts is not None:
            images = self._shifted(images, draws.shifts)
        if draws.flipped is not None:
            images = torch.where(draws.flipped.view(-1, 1, 1, 1), images.flip(3), images)
        if draws.corners is not None:
            inside = [
                (torch.arange(size, device=rows.device) - corner[:, None]).div(
                    self.settings.cutout, rounding_mode="floor"
                )
                == 0
                for size, corner in zip(self.shape[1:], draws.corners, strict=True)
            ]
            images = images.masked_fill((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0.0)
        return images.reshape(len(rows), math.prod(self.shape))

    def _shifted(
        self, images: Float[Tensor, "batch channel row column"], shifts: Int[Tensor, "2 batch"]
    ) -> Float[Tensor, "batch channel row column"]:
        side = self.settings.shift
        mode = {"reflect": "reflect", "edge": "replicate", "zero": "constant"}[self.settings.padding]
        padded = F.pad(images, (side,) * 4, mode=mode)
        windows = padded.unfold(2, self.shape[1], 1).unfold(3, self.shape[2], 1)
        sample = torch.arange(len(images), device=images.device)
        return windows[sample, :, shifts[0], shifts[1]]
