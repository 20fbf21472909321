"""Networks, one file each, registered in ``NETWORKS``; and their parts."""

from barkhausen.learning.networks import (
    airbench,
    autoencoder,
    convolution_blocks,
    convolutional,
    factory,
    perceptron,
    recurrent,
    spiking,
    vgg,
)
from barkhausen.learning.networks.registry import NETWORKS, Network, SavedSizes, Shapes

__all__ = [
    "NETWORKS",
    "Network",
    "SavedSizes",
    "Shapes",
    "airbench",
    "autoencoder",
    "convolution_blocks",
    "convolutional",
    "factory",
    "perceptron",
    "recurrent",
    "spiking",
    "vgg",
]
