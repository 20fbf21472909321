from __future__ import annotations

import pytest
import torch
from sklearn.datasets import load_breast_cancer

from barkhausen.core.errors import InputError
from barkhausen.data import load_dataset


def test_folds_test_every_sample_once_and_are_scaled_by_the_training_folds() -> None:
    parts = [load_dataset("breast-cancer", options={"fold": fold}) for fold in range(5)]
    assert [len(part.test_labels) for part in parts] == [114, 114, 114, 114, 113]
    bundled = load_breast_cancer()
    for part in parts:
        assert torch.allclose(part.train_inputs.mean(dim=0), torch.zeros(30), atol=1e-5)
        assert torch.allclose(part.train_inputs.std(dim=0, correction=0), torch.ones(30), atol=1e-5)
        assert len(part.train_labels) + len(part.test_labels) == 569
        assert float(part.test_labels.double().mean()) == pytest.approx(bundled.target.mean(), abs=0.01)
        assert part.standardised() is part


def test_both_signs_other_divisions_and_options_that_are_wrong() -> None:
    plain, both = (load_dataset("breast-cancer", options={"both_signs": each}) for each in (False, True))
    assert torch.equal(both.test_inputs[:, :30], plain.test_inputs)
    assert torch.equal(both.test_inputs[:, 30:], -plain.test_inputs)
    assert both.image_shape == (60,)
    other = load_dataset("breast-cancer", options={"shuffle": 1})
    assert not torch.equal(other.test_inputs, plain.test_inputs)
    with pytest.raises(InputError, match="must be below the number of folds, 5"):
        load_dataset("breast-cancer", options={"fold": 5})
