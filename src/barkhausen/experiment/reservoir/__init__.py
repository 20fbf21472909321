"""Forecasts of series by reservoirs, and by what stands beside them, as one task of a sweep."""
