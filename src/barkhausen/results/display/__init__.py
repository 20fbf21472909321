"""Figures and descriptions of runs and tables."""
