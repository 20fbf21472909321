"""Layers of synapses."""
