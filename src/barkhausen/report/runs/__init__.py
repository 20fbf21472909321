"""The page about finished runs."""
