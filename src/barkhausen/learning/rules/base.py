"""Base class of learning rules on devices: an optimiser that wraps another one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from barkhausen.core.errors import InputError
from barkhausen.learning.layers.bare_optimizer import watch_of
from barkhausen.learning.layers.base import SynapseLayer, synapse_layers
from barkhausen.synapse import SynapseArray

PATIENCE = 20
"""Steps of a wrapped optimiser on its own, without a programming event, after which it is warned of."""


class OwnUpdates(torch.optim.Optimizer):
    """A learner without gradients: it takes samples and labels, and changes the network itself.

    It is an optimiser so that whatever holds one works; its ``step`` does nothing.
    """

    @abstractmethod
    def learn(self, inputs: Tensor, labels: Tensor) -> Tensor:
        """Learn from a batch; the outputs of the network before or while it learnt.

        Args:
            inputs: Samples.
            labels: What they are.
        """

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Nothing."""
        return None if closure is None else closure()

    def __getstate__(self) -> dict[str, Any]:
        # For copies and pickles: torch's own version would keep only groups and state.
        return dict(self.__dict__)


class WrappedOptimizer(torch.optim.Optimizer):
    """A torch optimiser whose every step is followed by something of the learning rule's own.

    It is an optimiser itself and works with learning-rate schedulers, gradient scalers and training frameworks. Its
    parameter groups and its state are those of the wrapped optimiser.

    Args:
        optimizer: Any torch optimiser.

    Raises:
        InputError: The optimiser evaluates the loss several times in one step (LBFGS).
    """

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self.optimizer = optimizer
        if isinstance(optimizer, torch.optim.LBFGS):
            _refuse_repeated(optimizer)
        super().__init__(optimizer.param_groups, optimizer.defaults)

    @abstractmethod
    def update_devices(self) -> None:
        """Update the devices after the optimiser has changed the parameters."""

    def before_step(self) -> None:
        """Prepare for a step of the optimiser."""
        return

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of the optimiser, then of the devices.

        Args:
            closure: Function that evaluates the loss and its gradients, once in a step.

        Raises:
            InputError: The optimiser evaluates the closure a second time, or a latent weight was parametrised.
        """
        self.before_step()
        watch = watch_of(self.optimizer)
        watch.expected = True
        try:
            loss = self.optimizer.step() if closure is None else self.optimizer.step(self._once(closure))
        finally:
            watch.expected = False
        self.update_devices()
        return loss

    def _once(self, closure: Callable[[], float]) -> Callable[[], float]:
        """The closure, refused at its second evaluation in one step."""
        calls = 0

        def evaluate() -> float:
            nonlocal calls
            calls += 1
            if calls > 1:
                _refuse_repeated(self.optimizer)
            return closure()

        return evaluate

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients."""
        self.optimizer.zero_grad(set_to_none)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters to the optimiser."""
        # Torch's constructor adds the groups it is given, which the wrapped optimiser already has.
        if not any(param_group is group for group in self.optimizer.param_groups):
            self.optimizer.add_param_group(param_group)

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The optimiser's parameter groups, for learning-rate schedules."""
        return self.optimizer.param_groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        """Torch's constructor sets an empty list; the wrapped optimiser's stays."""

    @property
    def state(self) -> Any:
        """The optimiser's state."""
        return self.optimizer.state

    @state.setter
    def state(self, state: Any) -> None:
        """Torch's constructor sets an empty state; the wrapped optimiser's stays."""

    def __getstate__(self) -> dict[str, Any]:
        # For copies and pickles: torch's own version would keep only groups and state. A schedule shadows step().
        return {name: value for name, value in self.__dict__.items() if name != "step"}

    def state_dict(self) -> dict[str, Any]:
        """State of the optimiser. Devices and latent weights are in the model's state, the noise in the generator's."""
        return self.optimizer.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the optimiser's state."""
        self.optimizer.load_state_dict(state_dict)


class Learner(WrappedOptimizer):
    """A torch optimiser whose every step is followed by an update of the devices of synapse layers.

    It is an optimiser itself and works with learning-rate schedulers, gradient scalers and training frameworks. Its
    parameter groups and its state are those of the wrapped optimiser.

    Args:
        optimizer: Any torch optimiser over the model's parameters.
        model: Module with synapse layers anywhere inside.
        generator: Random stream of all noise.

    Raises:
        InputError: The model has no synapse layer, a latent weight is parametrised, the optimiser holds none of their
            latent weights (it was made for another model, for a part of this one, or before the model was converted),
            or it evaluates the loss several times in one step (LBFGS).
    """

    programs_devices = True
    """Whether a step programs devices; the inner optimiser alone does not."""

    arrays: type[nn.Module] = SynapseArray
    devices = "devices that are reset and programmed to states"
    """Class of the arrays that the rule works on, and what they are in words."""

    def __init__(self, optimizer: torch.optim.Optimizer, model: nn.Module, generator: torch.Generator | None) -> None:
        self.generator = generator
        self.layers = layers_with_devices(model)
        held = {id(parameter) for group in optimizer.param_groups for parameter in group["params"]}
        if not any(id(layer.latent_weight) in held for layer in self.layers):
            raise InputError(
                "the optimiser holds no latent weight of this model's synapse layers (make it after the "
                "conversion, from the parameters of the converted model)"
            )
        for layer in self.layers:
            if not isinstance(layer.synapses, self.arrays):
                raise InputError(
                    f"{type(self).__name__}: works on {self.devices}, and the devices of this model are others"
                )
        super().__init__(optimizer)
        watch_of(optimizer).patience = PATIENCE

    def before_step(self) -> None:
        """Refuse latent weights that are computed from something else."""
        for layer in self.layers:
            check_latent(layer)


def layers_with_devices(model: nn.Module) -> list[SynapseLayer]:
    """The synapse layers of a model, one of those that share their devices.

    Raises:
        InputError: There is none, layers share devices but no latent weights, or a latent weight is computed from
            something else.
    """
    found: dict[int, tuple[str, SynapseLayer]] = {}
    for name, layer in synapse_layers(model):
        check_latent(layer, name)
        first, other = found.setdefault(id(layer.synapses), (name, layer))
        if other.latent_weight is not layer.latent_weight:
            raise InputError(f"{first} and {name} share their devices: let them share latent_weight too")
    if not found:
        raise InputError("the model has no synapse layer")
    return [layer for _, layer in found.values()]


def check_latent(layer: SynapseLayer, name: str = "") -> None:
    """Refuse a latent weight that is computed from another parameter: clipping it would be lost.

    Raises:
        InputError: The latent weight is no parameter of its layer.
    """
    if layer._parameters.get("latent_weight") is None:
        raise InputError(
            f"{name or type(layer).__name__}: latent_weight is parametrised or pruned, so a learning rule cannot clip "
            "it; remove that (remove_parametrizations, prune.remove)"
        )


def _refuse_repeated(optimizer: torch.optim.Optimizer) -> NoReturn:
    raise InputError(
        f"{type(optimizer).__name__} evaluates the loss several times in one step, but devices are programmed only "
        "after the step, so the loss would not follow the latent weights; use SGD, Adam or another optimiser that "
        "evaluates it once"
    )
