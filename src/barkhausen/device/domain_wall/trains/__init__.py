"""Trains of identical current pulses that move a wall up and down a track."""
