"""Experiments: data sets, recipes, runs and reports."""
