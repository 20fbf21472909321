"""A trained network in the formats of others: safetensors, ONNX, and matrices of conductances (npz, csv).

Every function takes a model with layers of devices anywhere inside and writes what its devices hold now. Files are
either whole or not there. What each holds is in ``docs/export.md``.
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

METADATA = "metadata.json"
"""In an export as CSV, the description of it all."""


def export_safetensors(model: nn.Module, out: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the deployed network and, beside each weight, what its devices hold.

    Keys are those of ``deployed(model).state_dict()`` (weights are ``scale`` times device weights), and for each
    layer of devices ``latent_weight``, ``state``, ``device_weight``, ``scale`` and ``conductance`` (S, double
    precision).

    Args:
        model: with layers of devices.
        out: file to write.
        about: anything worth keeping, as JSON.

    Raises:
        InputError: the model has no layer of devices, a device has no conductances, or the file cannot be written.
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
    # Copies: the file may not hold two names of one tensor, nor parts of a larger one.
    whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    metadata = described(layers, dict(about or {}))
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in metadata.items()}
    atomic_write(out, save(whole, metadata=texts))


def export_npz(model: nn.Module, out: Path, about: Mapping[str, Any] | None = None) -> None:
    """Write the conductances of each layer as a matrix [outputs, inputs · kernel] in S, with what makes them weights.

    Keys: ``LAYER.conductance``, ``.reference_conductance``, ``.conductance_unit``, ``.scale`` and, where there is one,
    ``.bias``; ``metadata`` is a JSON text. No key needs pickle.

    Args:
        model: with layers of devices.
        out: file to write.
        about: anything worth keeping, as JSON.

    Raises:
        InputError: the model has no layer of devices, a device has no conductances, or the file cannot be written.
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
    """Write a directory with one ``LAYER.conductance.csv`` (S, a line for each output) a layer and ``metadata.json``.

    Numbers have the 17 digits that give a double back. Biases are in ``LAYER.bias.csv``, a line each.

    Args:
        model: with layers of devices.
        out: directory to make; it must not exist, or be empty.
        about: anything worth keeping, as JSON.

    Raises:
        InputError: the model has no layer of devices, a device has no conductances, or the directory is not empty or
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
    # The name of a module may hold anything but a dot.
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
        model: of one input and one output, samples first in both; layers of devices are not needed.
        out: file to write.
        sample: one input without the dimension of samples, or its shape.

    Raises:
        InputError: a package is missing, the network cannot be written in ONNX, or the file cannot be written.
    """
    # Takes seconds to import, and most of its packages are extras.
    from barkhausen.experiment.export.onnx_file import onnx_bytes  # noqa: PLC0415

    network = deployed(model).to("cpu")
    if not isinstance(sample, Tensor):
        kinds = [parameter.dtype for parameter in network.parameters() if parameter.is_floating_point()]
        sample = torch.zeros(tuple(sample), dtype=kinds[0] if kinds else torch.float32)
    atomic_write(out, onnx_bytes(network, sample.to("cpu")))
