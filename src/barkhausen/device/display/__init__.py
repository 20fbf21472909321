"""Figures and descriptions of characterised devices."""
