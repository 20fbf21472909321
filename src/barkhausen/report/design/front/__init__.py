"""The page about a search for a front of designs."""
