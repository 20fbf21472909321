"""Figures of networks whose devices are read stochastically."""
