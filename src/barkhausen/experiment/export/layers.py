"""Description of each synapse layer in an export, in numpy arrays and plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.device import CharacterisedDevice
from barkhausen.device.conductance import ConductanceMap
from barkhausen.device.identity import statistics_hash
from barkhausen.learning import SynapseConv1d, SynapseConv2d, SynapseLayer, SynapseRecurrent, synapse_layers
from barkhausen.version import __version__

FORMAT = "barkhausen-export"
FORMAT_VERSION = 2

FORMULA = "weight = scale * (conductance - reference_conductance) / conductance_unit"
"""Formula of weights. There is one device for each weight; one line of devices with the reference conductance serves
all outputs of a layer."""


@dataclass(frozen=True, eq=False)
class ExportedLayer:
    """One synapse layer; matrices have a row for each output, as in torch."""

    name: str
    layer: SynapseLayer
    map: ConductanceMap
    recurrent: SynapseRecurrent | None = None
    """Recurrent layer that it is a matrix of."""

    def key(self, of: str) -> str:
        """Name under which an array of the layer is stored, such as ``linear1.conductance``."""
        return f"{self.name}.{of}" if self.name else of

    @property
    def device_weight(self) -> Float[np.ndarray, "outputs inputs *kernel"]:
        """Synaptic weights w."""
        weight: Float[np.ndarray, "outputs inputs *kernel"] = self.layer.synapses.weight.numpy(force=True)
        return weight

    @property
    def conductance(self) -> Float[np.ndarray, "outputs inputs *kernel"]:
        """Conductances of the devices in S, in double precision."""
        return self.map.conductance(self.device_weight)

    @property
    def conductance_matrix(self) -> Float[np.ndarray, "outputs columns"]:
        """Conductances in S with unrolled kernels: the input channel varies slowest, the last kernel dimension
        fastest."""
        conductance = self.conductance
        return conductance.reshape(len(conductance), -1)

    @property
    def bias(self) -> Float[np.ndarray, " outputs"] | None:
        """The digital bias; of a matrix of a recurrent layer, the bias of the same sums."""
        bias = self.layer.bias
        if self.recurrent is not None:
            bias = getattr(self.recurrent, self.name.rpartition(".")[2].replace("weight", "bias"), None)
        return None if bias is None else bias.numpy(force=True)

    def description(self, device: int) -> dict[str, Any]:
        """Everything except the arrays; ``device`` is the index of the layer's device in the list of devices."""
        layer = self.layer
        info: dict[str, Any] = {
            "kind": type(layer).__name__,
            "device": device,
            "shape": list(layer.latent_weight.shape),
            "columns": "input",
            "scale": float(layer.scale),
            "margin": layer.synapses.made_with.margin,
            "max_attempts": layer.synapses.made_with.attempts,
            "reference_conductance": self.map.reference,
            "conductance_unit": self.map.unit,
            "crosssim": self._crosssim(),
        }
        if isinstance(layer, (SynapseConv1d, SynapseConv2d)):
            kernel = ("kernel",) if len(layer.kernel_size) == 1 else ("kernel row", "kernel column")
            info["columns"] = ", ".join(("input channel of the group", *kernel)) + " (the last runs fastest)"
            for setting in ("kernel_size", "stride", "padding", "dilation"):
                value = getattr(layer, setting)
                info[setting] = value if isinstance(value, str) else list(value)
            info |= {"groups": layer.groups, "padding_mode": layer.padding_mode}
        if self.recurrent is not None:
            info |= {"recurrent_layer": type(self.recurrent).__name__, "gates": self.recurrent.gates}
        return info

    def _crosssim(self) -> dict[str, float] | None:
        """Settings with which an offset core of CrossSim maps the weights to exactly these conductances.

        CrossSim maps the weight 0 to the middle of 1/Rmax and 1/Rmin, and ``weight_max`` to 1/Rmin, so its range must
        be centred on the reference. None if this range would begin below zero.
        """
        widest = max(1.0, float(np.abs(self.device_weight).max()))
        low, high = self.map.reference - self.map.unit * widest, self.map.reference + self.map.unit * widest
        if low <= 0:
            return None
        return {"weight_max": float(self.layer.scale) * widest, "Rmin": 1 / high, "Rmax": 1 / low}


def exported_layers(model: nn.Module) -> list[ExportedLayer]:
    """All synapse layers of a model.

    Raises:
        InputError: The model has no synapse layer, or a device has no conductances.
    """
    layers = []
    modules = dict(model.named_modules())
    for name, layer in synapse_layers(model):
        within = modules[name.rpartition(".")[0]]
        recurrent = within if isinstance(within, SynapseRecurrent) else None
        try:
            layers.append(ExportedLayer(name, layer, ConductanceMap.of(layer.synapses.kind.device), recurrent))
        except InputError as error:
            raise InputError(f"{name or 'the model'}: {error}") from None
    if not layers:
        raise InputError(
            "the network has no synapse layer, so it has no states or conductances (export to onnx works without them)"
        )
    return layers


def described(layers: list[ExportedLayer], about: dict[str, Any]) -> dict[str, Any]:
    """Metadata of an export: format, devices with their assumptions, and every layer without its arrays.

    Args:
        layers: Layers of the network.
        about: Further metadata, such as the run.
    """
    devices: list[CharacterisedDevice] = []
    by_name = {}
    for layer in layers:
        device = layer.layer.synapses.kind.device
        # By identity, since a comparison of data sets has no single truth value.
        place = next((k for k, seen in enumerate(devices) if seen is device), len(devices))
        devices[place:] = [device] if place == len(devices) else devices[place:]
        by_name[layer.name] = layer.description(place)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "code_version": __version__,
        "formula": FORMULA,
        "about": about,
        "devices": [_of_device(device) for device in devices],
        "layers": by_name,
    }


def _of_device(device: CharacterisedDevice) -> dict[str, Any]:
    map_ = ConductanceMap.of(device)
    return {
        "source": device.source,
        "statistics_hash": statistics_hash(device).hex(),
        "levels": device.distribution().levels.tolist(),
        "weight_range": list(device.weight_range),
        "technology": device.technology,
        "conductance_low": map_.low,
        "conductance_high": map_.high,
        "assumed": device.assumed,
    }
