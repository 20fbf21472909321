"""Antiferromagnetic skyrmion neurons: a skyrmion in two coupled layers or sublattices that a current drives along a
track, that a gradient of Ku drives back, and that a tunnel junction near the end detects."""

from barkhausen.device.antiferromagnet.characterise import characterise
from barkhausen.device.antiferromagnet.parameters import AntiferromagnetParameters, parameters_from

__all__ = ["AntiferromagnetParameters", "characterise", "parameters_from"]
