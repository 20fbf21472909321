"""Export of a trained network as safetensors, ONNX, or matrices of conductances (npz, csv).

Every function takes a model with synapse layers anywhere inside and writes the present weights of its devices. Files
are written atomically. ``docs/export.md`` describes their contents.
"""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.files import PARTIAL, atomic_write, unwritable
from barkhausen.experiment.export.layers import ExportedLayer, described, exported_layers
from barkhausen.learning import deployed
from barkhausen.learning.layers.read_stochastic import read_stochastic_layers

METADATA = "metadata.json"
"""Name of the file with the metadata in an export as CSV."""


def export_safetensors(model: nn.Module, out: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the deployed network together with the states of its devices.

    The keys are those of ``deployed(model).state_dict()`` (weights are ``scale`` times synaptic weights) and, for each
    synapse layer, ``latent_weight``, ``state``, ``device_weight``, ``scale`` and ``conductance`` (S, double
    precision).

    Args:
        model: Network with synapse layers.
        out: File to write.
        about: Further metadata, stored as JSON.

    Raises:
        InputError: The model has no synapse layer, a device has no conductances, or the file cannot be written.
    """
    layers = exported_layers(model)
    tensors = dict(deployed(model).state_dict())
    for layer in layers:
        array = layer.layer.synapses
        held = {
            "latent_weight": layer.layer.latent_weight,
            "state": array.state,
            "device_weight": array.weight,
            "scale": layer.layer.scale,
            "conductance": torch.from_numpy(layer.conductance),
        }
        tensors |= {layer.key(name): tensor for name, tensor in held.items()}
    # Copies, since the file must not hold two names of one tensor or parts of a larger one.
    whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    metadata = described(layers, dict(about or {}))
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    atomic_write(out, save(whole, metadata=texts))


def export_npz(model: nn.Module, out: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the conductances of each layer as a matrix [outputs, inputs · kernel] in S, with the values that convert
    them to weights.

    Keys: ``LAYER.conductance``, ``.reference_conductance``, ``.conductance_unit``, ``.scale`` and, where there is one,
    ``.bias``; ``metadata`` is JSON text. Reading does not need pickle.

    Args:
        model: Network with synapse layers.
        out: File to write.
        about: Further metadata, stored as JSON.

    Raises:
        InputError: The model has no synapse layer, a device has no conductances, or the file cannot be written.
    """
    layers = exported_layers(model)
    arrays: dict[str, Any] = {"metadata": np.array(json.dumps(described(layers, dict(about or {}))))}
    for layer in layers:
        arrays[layer.key("conductance")] = layer.conductance_matrix
        arrays[layer.key("reference_conductance")] = np.float64(layer.map.reference)
        arrays[layer.key("conductance_unit")] = np.float64(layer.map.unit)
        arrays[layer.key("scale")] = layer.layer.scale.numpy(force=True)
        if layer.bias is not None:
            arrays[layer.key("bias")] = layer.bias
    content = io.BytesIO()
    np.savez(content, **arrays)
    atomic_write(out, content.getvalue())


def export_csv(model: nn.Module, out: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write a directory with ``LAYER.conductance.csv`` (in S, a line for each output) for each layer, and
    ``metadata.json``.

    Numbers have 17 digits, which preserves double precision. Biases are in ``LAYER.bias.csv``, a line each.

    Args:
        model: Network with synapse layers.
        out: New or empty directory.
        about: Further metadata, stored as JSON.

    Raises:
        InputError: The model has no synapse layer, a device has no conductances, or the directory is not empty or
            cannot be written.
    """
    layers = exported_layers(model)
    metadata = described(layers, dict(about or {}))
    files: dict[str, np.ndarray] = {}
    for layer in layers:
        for what, array in (("conductance", layer.conductance_matrix), ("bias", layer.bias)):
            if array is not None:
                name = _file_name(layer, what)
                files[name] = array
                metadata["layers"][layer.name][f"{what}_file"] = name
    try:
        _new_directory(out, files, metadata)
    except OSError as error:
        raise unwritable(out, error) from None


def _file_name(layer: ExportedLayer, what: str) -> str:
    # The name of a module may contain any character except a dot.
    return layer.key(what).replace("/", "_").replace("\\", "_") + ".csv"


def _new_directory(out: Path, files: Mapping[str, np.ndarray], metadata: Mapping[str, Any]) -> None:
    if out.exists():
        if not out.is_dir() or any(out.iterdir()):
            raise InputError(f"{out}: exists; CSV needs a new or empty directory")
        out.rmdir()
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=PARTIAL, dir=out.parent))
    try:
        whole = temporary / "whole"
        whole.mkdir()
        for name, array in files.items():
            np.savetxt(whole / name, array, fmt="%.17g", delimiter=",")
        (whole / METADATA).write_text(json.dumps(metadata, indent=1) + "\n", encoding="utf-8")
        whole.replace(out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def export_onnx(model: nn.Module, out: Path, sample: Tensor | Sequence[int]) -> None:
    """Write the deployed network, with any number of samples in a batch; see :mod:`.onnx_file`.

    Args:
        model: Network with one input and one output, samples first in both; it does not need synapse layers.
        out: File to write.
        sample: One input without the dimension of samples, or its shape.

    Raises:
        InputError: A package is missing, the network cannot be written in ONNX, or the file cannot be written.
    """
    drawn = [name for name, _ in read_stochastic_layers(model)]
    if drawn:
        raise InputError(
            f"{', '.join(drawn)}: drawn anew at every read, so the network has no fixed weights to write in ONNX; "
            "its drives are in the checkpoint"
        )
    # The import takes seconds, and most of its packages are optional.
    from barkhausen.experiment.export.onnx_file import onnx_bytes  # noqa: PLC0415

    network = deployed(model).to("cpu")
    if not isinstance(sample, Tensor):
        kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
        sample = torch.zeros(tuple(sample), dtype=kinds[0] if kinds else torch.float32)
    atomic_write(out, onnx_bytes(network, sample.to("cpu")))
