"""ONNX files of networks of plain torch layers."""

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
    """Content of an ONNX file with the input ``input`` [batch, …] and the output ``output``, for any number of samples.

    Args:
        model: Network in evaluation mode, on the CPU.
        sample: One input, without the dimension of samples.

    Raises:
        InputError: A package is missing, or the network cannot be written in ONNX.
    """
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise InputError(f"ONNX files need {' and '.join(missing)}: pip install 'barkhausen[onnx]'")
    # The exporter would treat a batch size of 1 as a constant.
    example = torch.stack([sample, sample])
    with _quiet():
        try:
            model(example)
        except Exception as error:  # layers raise different errors if the shape is wrong
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
    """Suppress the exporter's messages about itself and about packages that are not used here."""
    logger = logging.getLogger("torch.onnx")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)
