"""The page about the uncertainty of networks."""
