"""A skyrmion under a gate as a reservoir, beside echo-state networks and LSTMs (Misba et al. 2023)."""
