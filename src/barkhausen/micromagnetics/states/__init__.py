"""Initial states: uniform, random, walls, skyrmions and extended textures."""

from barkhausen.micromagnetics.states.placing import for_replicas
from barkhausen.micromagnetics.states.skyrmions import bubble, skyrmion, skyrmion_radius, skyrmionium
from barkhausen.micromagnetics.states.textures import cone, helix, stripes, vortex
from barkhausen.micromagnetics.states.uniform import default_state, random_state, uniform
from barkhausen.micromagnetics.states.walls import domain_wall, head_to_head_wall

__all__ = [
    "bubble",
    "cone",
    "default_state",
    "domain_wall",
    "for_replicas",
    "head_to_head_wall",
    "helix",
    "random_state",
    "skyrmion",
    "skyrmion_radius",
    "skyrmionium",
    "stripes",
    "uniform",
    "vortex",
]
