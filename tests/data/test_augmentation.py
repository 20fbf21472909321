"""Augmentation: what each draw does to an image, checked against plain numpy, and that draws repeat."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from barkhausen.core.errors import InputError
from barkhausen.data.augmentation import Augmentation, Augmenter

SAMPLES = 64


def augmenter(shape: tuple[int, ...] = (3, 6, 5), **settings: object) -> Augmenter:
    return Augmenter(Augmentation(**settings), shape, SAMPLES, torch.Generator().manual_seed(0))


def rows(shape: tuple[int, ...] = (3, 6, 5)) -> torch.Tensor:
    return torch.rand((SAMPLES, int(np.prod(shape))), generator=torch.Generator().manual_seed(1)) + 1


@pytest.mark.parametrize(("padding", "mode"), [("reflect", "reflect"), ("edge", "edge"), ("zero", "constant")])
def test_shifts_are_windows_of_the_padded_image(padding: str, mode: str) -> None:
    made = augmenter(shift=2, padding=padding)
    draws = made.draws(0, torch.Generator().manual_seed(2))
    found = made.apply(rows(), draws).view(-1, 3, 6, 5).numpy()
    assert draws.shifts is not None
    padded = np.pad(rows().view(-1, 3, 6, 5).numpy(), ((0, 0), (0, 0), (2, 2), (2, 2)), mode=mode)
    for sample, (row, column) in enumerate(draws.shifts.T.tolist()):
        assert np.array_equal(found[sample], padded[sample, :, row : row + 6, column : column + 5])
    assert sorted(set(draws.shifts.flatten().tolist())) == [0, 1, 2, 3, 4]


def test_alternating_flips_show_both_sides_in_two_epochs_and_random_ones_are_half() -> None:
    made, images = augmenter((6, 5), flip="alternating"), rows((6, 5))
    mirror = images.view(-1, 6, 5).flip(2).flatten(1)
    generator = torch.Generator().manual_seed(2)
    first, second, third = (made.apply(images, made.draws(epoch, generator)) for epoch in range(3))
    flipped = (first == mirror).all(1)
    assert torch.equal(first, torch.where(flipped[:, None], mirror, images))
    assert torch.equal(second, torch.where(flipped[:, None], images, mirror))
    assert torch.equal(third, first)
    assert 16 < int(flipped.sum()) < 48
    drawn = augmenter((6, 5), flip="random").draws(0, generator).flipped
    assert drawn is not None
    assert 16 < int(drawn.sum()) < 48


def test_cutout_is_one_square_of_zeros_within_the_image() -> None:
    made = augmenter(cutout=3)
    draws = made.draws(0, torch.Generator().manual_seed(2))
    zero = made.apply(rows(), draws).view(-1, 3, 6, 5) == 0
    assert (zero.sum((2, 3)) == 9).all()
    assert draws.corners is not None
    corners = {tuple(corner) for corner in draws.corners.T.tolist()}
    assert corners == {(row, column) for row in range(4) for column in range(3)}
    for sample, (row, column) in enumerate(draws.corners.T.tolist()):
        assert zero[sample, :, row : row + 3, column : column + 3].all()


def test_a_batch_is_the_same_alone_and_among_others() -> None:
    made, images = augmenter(flip="random", shift=1, cutout=2), rows()
    draws = made.draws(0, torch.Generator().manual_seed(2))
    index = torch.tensor([5, 40, 3])
    assert torch.equal(made.apply(images[index], draws.of(index)), made.apply(images, draws)[index])
    again = made.draws(0, torch.Generator().manual_seed(2))
    assert torch.equal(made.apply(images, draws), made.apply(images, again))


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        ((41,), {"shift": 1}, "has no images"),
        ((3, 6, 5), {"shift": 5}, "augment.shift = 5: must be at most 4"),
        ((3, 6, 5), {"cutout": 6}, "augment.cutout = 6: must be at most 5"),
    ],
)
def test_refused(shape: tuple[int, ...], settings: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        augmenter(shape, **settings)
