"""What the members are is checked by the functions that take it, not by the command alone."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from barkhausen.core.errors import InputError
from barkhausen.experiment.uncertainty import uncertainty_of_runs
from barkhausen.learning.uncertainty.members import member_outputs


def test_unknown_members_are_refused_wherever_they_are_named() -> None:
    with pytest.raises(InputError, match=r"^over = 'chip': no such members; did you mean 'chips'\?$"):
        member_outputs(nn.Linear(3, 2), torch.zeros(1, 3), 2, over="chip")
    with pytest.raises(InputError, match=r"^over = 'zzz': no such members; known: auto, chips, network, passes$"):
        uncertainty_of_runs(["nowhere"], over="zzz")
