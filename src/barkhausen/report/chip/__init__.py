"""The page about a network on a crossbar chip."""
