"""Passage of a wall at one notch: a thermal ensemble of attempts, and the probability that a drive sets."""

from barkhausen.device.domain_wall.passage.parameters import Passage, PassageParameters, parameters_from
from barkhausen.device.domain_wall.passage.simulation import characterise_passage as characterise

__all__ = ["Passage", "PassageParameters", "characterise", "parameters_from"]
