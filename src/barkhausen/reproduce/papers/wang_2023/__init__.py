"""Uncertainty of a spiking network with stochastic spin-orbit-torque synapses (Wang et al. 2023)."""
