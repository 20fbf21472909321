"""Constants of a material at a temperature, and the constants of a mesh whose averages they are."""
