"""The trained network as plain torch layers with fixed weights."""

from __future__ import annotations

import copy

from torch import nn

from barkhausen.learning.layers import DomainWallLayer


def deployed(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode whose domain-wall layers are torch's own, with the weights that the devices hold.

    It computes what the model computes, knows nothing of devices, and goes wherever a torch model goes (ONNX,
    ``torch.compile``, other simulators). All keys of its ``state_dict`` are those of the float model.
    """
    if isinstance(model, DomainWallLayer):
        return model.as_float().eval()
    # A layer that stands in several places stays one.
    fixed: dict[int, nn.Module] = {}
    target = copy.deepcopy(model)
    for parent in list(target.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, DomainWallLayer):
                fixed.setdefault(id(child), child.as_float())
                setattr(parent, name, fixed[id(child)])
    return target.eval()
