"""Trained networks on a crossbar chip."""
