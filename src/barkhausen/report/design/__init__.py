"""The page about a design search."""
