"""What a conversion leaves digital: listed, warned of where it was not asked for, and quiet where it was."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.device import gaussian_device
from barkhausen.learning import DigitalWeightsWarning, conversion_report, convert

FIVE = gaussian_device(5)


class Conv1D(nn.Module):
    """A linear layer whose weight is transposed, as GPT-2 has it: a class that torch does not know."""

    def __init__(self, outputs: int, inputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class ByHand(nn.Module):
    """A module that multiplies by a parameter of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.randn(4, 4))
        self.token = nn.Parameter(torch.randn(1, 1, 4))

    def forward(self, x: Tensor) -> Tensor:
        return (x + self.token) @ self.matrix


def mixed() -> nn.Sequential:
    return nn.Sequential(nn.Embedding(7, 6), Conv1D(4, 6), nn.LayerNorm(4), ByHand(), nn.Linear(4, 5), nn.Linear(5, 2))


def quiet(*arguments: Any, **more: Any) -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return convert(*arguments, **more)


def test_matrices_in_unknown_classes_are_warned_of_by_name() -> None:
    with pytest.warns(DigitalWeightsWarning) as seen:
        convert(mixed(), FIVE, 0.3)
    (warning,) = seen
    assert str(warning.message).startswith(
        "convert: left digital: 1.weight (Conv1D, 6 x 4), 3.matrix (ByHand, 4 x 4); "
        "only Linear, Conv1d, Conv2d, LSTM and GRU"
    )
    assert warning.filename == __file__


@pytest.mark.parametrize("keep", [["1", "3"], ["1", "3.matrix"], ["?.weight", "3", "last"]])
def test_what_is_kept_float_on_purpose_is_not_warned_of(keep: list[str]) -> None:
    quiet(mixed(), FIVE, 0.3, keep_float=keep)


def test_normalisation_biases_and_tables_are_not_warned_of() -> None:
    quiet(nn.Sequential(nn.Embedding(7, 4), nn.Linear(4, 4), nn.LayerNorm(4), nn.PReLU(4)), FIVE, 0.3)


def test_weights_of_a_replaced_layer_cannot_be_kept_by_their_name() -> None:
    with pytest.raises(InputError, match=r"keep_float: '0\.weight' matches no module"):
        convert(nn.Sequential(nn.Linear(3, 3)), FIVE, 0.3, keep_float=["0.weight"])


def test_the_report_lists_every_matrix_with_its_reason() -> None:
    model = quiet(mixed(), FIVE, 0.3, keep_float=["1", "3", "last"])
    report = conversion_report(model)
    assert [str(matrix) for matrix in report.on_devices] == ["4.latent_weight (SynapseLinear, 5 x 4)"]
    assert report.summary() == [
        {"name": "0.weight", "class": "Embedding", "shape": [7, 6], "reason": "look-up table"},
        {"name": "1.weight", "class": "Conv1D", "shape": [6, 4], "reason": "not recognised"},
        {"name": "3.matrix", "class": "ByHand", "shape": [4, 4], "reason": "not recognised"},
        {"name": "5.weight", "class": "Linear", "shape": [2, 5], "reason": "kept float"},
    ]
    assert report.share == 20 / (20 + 42 + 24 + 16 + 10)
    assert str(report).splitlines()[0] == "20 weights in 1 matrix on devices (17.9 %)"
    assert "digital: 1.weight (Conv1D, 6 x 4): not recognised" in str(report).splitlines()


def test_torch_layers_that_are_kept_are_listed_with_all_their_matrices() -> None:
    block = nn.TransformerEncoderLayer(4, 2, dim_feedforward=8)
    model = nn.Sequential(quiet(block, FIVE, 0.3, keep_float=["self_attn"]), nn.LSTM(4, 3))
    found = {matrix.name: matrix.reason for matrix in conversion_report(model).digital}
    assert found == {
        "0.self_attn.in_proj_weight": "kept float",
        "0.self_attn.out_proj.weight": "kept float",
        "1.weight_ih_l0": "kept float",
        "1.weight_hh_l0": "kept float",
    }
    assert len(conversion_report(model).on_devices) == 2


def test_a_model_of_unknown_layers_alone_is_refused_by_their_names() -> None:
    with pytest.raises(InputError, match=r"nothing to convert: .*not recognised: 0\.weight \(Conv1D, 3 x 4\)"):
        convert(nn.Sequential(Conv1D(4, 3)), FIVE, 0.3)
    with pytest.raises(InputError, match=r"nothing to convert: .*weight \(Conv1D, 3 x 4\)"):
        convert(Conv1D(4, 3), FIVE, 0.3)


def test_shared_lazy_and_missing_matrices_are_counted_right() -> None:
    tied = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    tied[1].weight = tied[0].weight
    assert [matrix.name for matrix in conversion_report(tied).digital] == ["0.weight"]
    assert conversion_report(nn.LazyLinear(3)).digital == ()
    assert str(conversion_report(nn.ReLU())) == "the model has no weight matrix"
