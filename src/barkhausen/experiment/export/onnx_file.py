"""A network of plain torch layers as an ONNX file."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.version import __version__

NEEDED = ("onnx", "onnxscript")


def onnx_bytes(model: nn.Module, sample: Tensor) -> bytes:
    """The network in ONNX: input ``input`` [batch, …], output ``output``, any number of samples.

    Args:
        model: in evaluation mode, on the CPU.
        sample: one input, without the dimension of samples.

    Raises:
        InputError: a package is missing, or the network cannot be written in ONNX.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(f"ONNX files need {' and '.join(missing)}: pip install 'barkhausen[onnx]'")
    # The exporter takes a batch of one for a constant.
    example = torch.stack([sample, sample])
    with _quiet():
        try:
            model(example)
        except Exception as error:  # whatever the layers raise where the shape is wrong
            raise InputError(
                f"the network does not take inputs of shape {tuple(sample.shape)} ({_short(error)})"
            ) from None
        try:
            program = torch.onnx.export(
                model,
                (example,),
                input_names=["input"],
                output_names=["output"],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.errors.OnnxExporterError as error:
            raise InputError(f"the network cannot be written in ONNX ({_short(error)})") from None
    assert program is not None
    program.model.producer_name, program.model.producer_version = "barkhausen", __version__
    content: bytes = program.model_proto.SerializeToString()
    return content


def _short(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks about itself and about packages that nothing here uses."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
