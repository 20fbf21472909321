"""Spiking networks of domain-wall neurons on Fashion-MNIST (Cui et al. 2024)."""
