"""Spike-timing-dependent plasticity whose weight changes are stochastic steps of domain walls."""

from barkhausen.learning.stdp.network import PlasticNetwork
from barkhausen.learning.stdp.presentation import Presentation
from barkhausen.learning.stdp.wall_steps import WallSteps
from barkhausen.learning.stdp.window import Window

__all__ = ["PlasticNetwork", "Presentation", "WallSteps", "Window"]
