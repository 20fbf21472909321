"""Shared foundations of all layers: errors, configuration, files, progress, units and seeds."""
