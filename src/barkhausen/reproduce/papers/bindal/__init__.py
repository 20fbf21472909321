"""Antiferromagnetic skyrmion neurons, leaky (Bindal et al. 2022) and without leak (Bindal et al. 2024)."""
