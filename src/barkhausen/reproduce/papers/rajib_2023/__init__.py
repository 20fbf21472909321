"""A memory of three states, up, skyrmion and down, written by voltage pulses (Rajib et al. 2023)."""
