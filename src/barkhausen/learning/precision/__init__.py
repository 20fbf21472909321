"""Learning at low precision: fewer bits for latent weights and for the operands of their gradients."""

from barkhausen.learning.precision.settings import Precision
from barkhausen.learning.precision.uniform import FULL, quantised

__all__ = ["FULL", "Precision", "quantised"]
