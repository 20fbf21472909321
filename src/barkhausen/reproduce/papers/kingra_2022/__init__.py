"""Binary and ternary networks on OxRAM, one device a weight and two reads (Kingra et al. 2022)."""
