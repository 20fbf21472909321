"""The network of a recipe: built of float layers, and converted to synapses for a learning rule on devices."""

from __future__ import annotations

import math
import warnings

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.core.limits import check_memory
from barkhausen.core.seeds import stream
from barkhausen.data import Dataset
from barkhausen.device import CharacterisedDevice
from barkhausen.experiment.recipe import Recipe, with_device_defaults
from barkhausen.experiment.tasks.registry import TASKS
from barkhausen.learning import DigitalWeightsWarning, convert
from barkhausen.learning.networks import NETWORKS, Shapes
from barkhausen.learning.networks.factory import called
from barkhausen.learning.networks.float_layers import BYTES_OF_A_VALUE, FloatLayers
from barkhausen.learning.networks.registry import CLASSES, RECONSTRUCTION
from barkhausen.learning.networks.settings import NetworkRecipe
from barkhausen.learning.precision.lowered import lower_precision


def build_network(recipe: Recipe, shapes: Shapes, device: CharacterisedDevice | None, where: torch.device) -> nn.Module:
    """The untrained network of a recipe.

    Args:
        recipe: Topology, margin and seed.
        shapes: Sizes of input and output.
        device: Statistics of the synapses; None for a network of float layers.
        where: Torch device of the network.

    Raises:
        InputError: The network cannot take these inputs, or has none of the layers to keep float.
    """
    baseline = stream(recipe.seed, "start" if device is None else "start of float layers", where)
    layers = recipe.learning_rule.layers(recipe.rule, baseline)
    model = float_network(recipe.network, shapes, baseline, recipe.batch_size, layers=layers)
    if device is None:
        return recipe.learning_rule.prepare(model, recipe.rule, stream(recipe.seed, "devices", where))
    with warnings.catch_warnings():
        # They are listed in the summary.
        warnings.simplefilter("ignore", DigitalWeightsWarning)
        return _converted(model, recipe, device, where)


def _converted(model: nn.Module, recipe: Recipe, device: CharacterisedDevice, where: torch.device) -> nn.Module:
    converted = convert(
        model,
        device,
        with_device_defaults(recipe, device).write_verify(),
        keep_float=recipe.network.keep_float,
        start=recipe.network.start,
        generator=stream(recipe.seed, "start", where),
        inplace=True,
    )
    return lower_precision(converted, recipe.precision)


def float_network(
    network: NetworkRecipe,
    shapes: Shapes,
    generator: torch.Generator,
    batch_size: int = 1,
    *,
    layers: FloatLayers | None = None,
) -> nn.Module:
    """The network of float layers, with initial weights drawn from the generator.

    Args:
        network: Topology.
        shapes: Sizes of input and output.
        generator: Random stream of the weights.
        batch_size: Samples that go through the network at once, at most those of the data set.
        layers: Layers that it is built of. Default: float layers.

    Raises:
        InputError: The network cannot take these inputs, or would take too much memory.
    """
    layers = FloatLayers(generator) if layers is None else layers
    model = NETWORKS.named(network.kind).build(network, shapes, layers)
    if network.factory is not None:
        _check_sizes(network.factory, model, shapes)
    samples = min(batch_size, shapes.samples)
    check_memory(
        BYTES_OF_A_VALUE * float(samples) * layers.footprint.values_of(math.prod(shapes.image[-2:])),
        f"batch_size = {batch_size}: what {samples} samples leave between the layers",
    )
    return model.to(generator.device)


def _check_sizes(place: str, model: nn.Module, shapes: Shapes) -> None:
    """Pass two samples of zeros through a network of the user's own.

    Raises:
        InputError: It does not take the inputs, or gives something other than a row for each sample.
    """
    modes = {module: module.training for module in model.modules()}
    model.eval()
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        parameter = next(model.parameters(), None)
        where = None if parameter is None else parameter.device
        inputs = torch.zeros((2, shapes.features), device=where)
        output = called(place, lambda: model(inputs), f" on 2 samples of {shapes.features} features")
    for module, training in modes.items():
        module.training = training
    sizes = {CLASSES: shapes.classes, RECONSTRUCTION: shapes.features}
    expected = sizes.get(TASKS.named(shapes.task).output)
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    if not isinstance(shape, tuple) or shape[:1] != (2,) or (expected is not None and shape != (2, expected)):
        wanted = "rows" if expected is None else f"(2, {expected})"
        raise InputError(
            f"network.factory = {place!r}: must give {wanted} for 2 samples of {shapes.features} features "
            f"({shapes.dataset}), gives {shape}"
        )


def shapes_of(dataset: Dataset) -> Shapes:
    """The sizes that a data set decides."""
    return Shapes(
        dataset.name,
        dataset.train_inputs.shape[1],
        dataset.classes,
        dataset.image_shape,
        samples=len(dataset.train_inputs),
        task=dataset.task,
    )
