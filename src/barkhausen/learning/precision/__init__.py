"""Learning at low precision: fewer bits for latent weights and for the operands of their gradients."""

from barkhausen.learning.precision.settings import Precision
from barkhausen.learning.precision.uniform import quantised

__all__ = ["Precision", "quantised"]
