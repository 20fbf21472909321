"""Devices that are written anew at every read, and pass or fail with a probability that a drive sets."""

from barkhausen.device.probability.curve import CurveFit, PassCurve, fit_curve
from barkhausen.device.probability.device import PROBABILITY, Attempts, ProbabilityDevice

__all__ = ["PROBABILITY", "Attempts", "CurveFit", "PassCurve", "ProbabilityDevice", "fit_curve"]
