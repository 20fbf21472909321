"""The compact model of a domain wall, and its calibration against micromagnetics."""
