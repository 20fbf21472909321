"""Gradient descent in units of the root mean square gradient of each tensor; no state for single weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch


class LayerRMS(torch.optim.Optimizer):
    """Gradient descent with one running mean square for each tensor.

    ``v ← β v + (1 − β) mean(g²)`` and ``p ← p − lr · g / (√(v / (1 − βᵗ)) + ε)``. It is Adam without momentum and with
    a single second moment for each tensor, like those of the blocks of Adam-mini (Y. Zhang et al., *Adam-mini: use
    fewer learning rates to gain more*, ICLR 2025). The hardware thus stores no optimiser words for its weights.

    Args:
        params: Parameters or groups of them.
        lr: Learning rate: the root mean square change of a weight in one step.
        decay: Decay β of the running mean.
        eps: Constant ε against division by zero.
        weight_decay: Decoupled weight decay.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        *,
        decay: float = 0.99,
        eps: float = 1e-12,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "decay": decay, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step.

        Args:
            closure: Function that evaluates the loss and its gradients.
        """
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: torch.Tensor, gradient: torch.Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            # Of the type of the parameter, to which torch converts what it loads; "step" alone is left as it is.
            state["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
            state["mean_square"] = torch.zeros((), dtype=parameter.dtype, device=parameter.device)
        decay = group["decay"]
        state["step"] += 1
        state["mean_square"].lerp_(gradient.square().mean().to(parameter.dtype), 1 - decay)
        typical = (state["mean_square"] / (1 - decay ** state["step"])).sqrt_().add_(group["eps"])
        if group["weight_decay"]:
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
        parameter.addcmul_(gradient, (-group["lr"] / typical).to(gradient.dtype))
