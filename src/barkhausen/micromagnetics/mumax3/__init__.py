"""Simulations as mumax3 scripts."""
