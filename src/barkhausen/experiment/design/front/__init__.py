"""Searches for a front of designs: energy against retention and distinguishability, under constraints."""
