"""Where the weights of a model are: on devices, or digital."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch import nn

from barkhausen.learning.layers.base import SynapseLayer

TABLES = (nn.Embedding, nn.EmbeddingBag)
"""Classes that look rows up instead of multiplying by a matrix."""

KNOWN = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
    nn.Bilinear,
    nn.RNNBase,
    nn.RNNCellBase,
    nn.MultiheadAttention,
)
"""Classes with weight matrices that `convert` replaces or refuses; they are digital only where it was told so."""

NOT_RECOGNISED = "not recognised"
"""Reason of a matrix in a module that `convert` does not know."""

SHOWN = 8


@dataclass(frozen=True)
class Matrix:
    """A parameter with two or more dimensions, sizes of 1 aside.

    Attributes:
        layer: Name of the module that holds it, as in ``model.named_modules()``.
        kind: Class of the module.
        parameter: Name within the module.
        shape: Shape of the parameter.
        reason: Reason why it is digital: ``kept float``, ``look-up table``, or ``not recognised`` for a class that
            ``convert`` does not know. Empty for weights on devices.
    """

    layer: str
    kind: str
    parameter: str
    shape: tuple[int, ...]
    reason: str = ""

    @property
    def name(self) -> str:
        """Name as in ``model.named_parameters()``."""
        return f"{self.layer}.{self.parameter}" if self.layer else self.parameter

    @property
    def weights(self) -> int:
        """Number of weights."""
        return math.prod(self.shape)

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {' x '.join(map(str, self.shape))})"


@dataclass(frozen=True)
class ConversionReport:
    """Matrices of a model on devices, and those that are digital; vectors (biases, normalisation) always are."""

    on_devices: tuple[Matrix, ...]
    digital: tuple[Matrix, ...]

    @property
    def share(self) -> float:
        """Share of the weights of all matrices that are on devices; NaN for a model without matrices."""
        held = sum(matrix.weights for matrix in self.on_devices)
        every = held + sum(matrix.weights for matrix in self.digital)
        return held / every if every else math.nan

    def summary(self) -> list[dict[str, Any]]:
        """The digital matrices for a JSON file."""
        return [
            {"name": matrix.name, "class": matrix.kind, "shape": list(matrix.shape), "reason": matrix.reason}
            for matrix in self.digital
        ]

    def __str__(self) -> str:
        if not self.on_devices and not self.digital:
            return "the model has no weight matrix"
        held = sum(matrix.weights for matrix in self.on_devices)
        lines = [f"{held} weights in {_counted(self.on_devices)} on devices ({100 * self.share:.1f} %)"]
        lines += [f"digital: {matrix}: {matrix.reason}" for matrix in self.digital]
        return "\n".join(lines)


def conversion_report(model: nn.Module) -> ConversionReport:
    """List the weight matrices of a model, on devices and digital ones.

    Args:
        model: Any module, converted or not. A parameter that occurs in several places counts once.
    """
    on_devices, digital = [], []
    for name, module, parameter, shape in _matrices(model):
        if isinstance(module, SynapseLayer):
            on_devices.append(Matrix(name, type(module).__name__, parameter, shape))
        else:
            digital.append(Matrix(name, type(module).__name__, parameter, shape, _reason(module)))
    return ConversionReport(tuple(on_devices), tuple(digital))


def listed(matrices: tuple[Matrix, ...]) -> str:
    """The matrices in one line, the first few of many."""
    shown = ", ".join(map(str, matrices[:SHOWN]))
    return f"{shown}, … {len(matrices)} in all" if len(matrices) > SHOWN else shown


def _matrices(model: nn.Module) -> Iterator[tuple[str, nn.Module, str, tuple[int, ...]]]:
    seen: set[int] = set()
    for name, module in model.named_modules():
        for key, parameter in module.named_parameters(recurse=False):
            # Lazy layers have no shape yet.
            shape = () if nn.parameter.is_lazy(parameter) else tuple(parameter.shape)
            if id(parameter) not in seen and sum(size > 1 for size in shape) > 1:
                seen.add(id(parameter))
                yield name, module, key, shape


def _reason(module: nn.Module) -> str:
    if isinstance(module, TABLES):
        return "look-up table"
    return "kept float" if isinstance(module, KNOWN) else NOT_RECOGNISED


def _counted(matrices: tuple[Matrix, ...]) -> str:
    return f"{len(matrices)} {'matrix' if len(matrices) == 1 else 'matrices'}"
