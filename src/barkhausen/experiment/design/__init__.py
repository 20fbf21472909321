"""Searches for a device design."""
