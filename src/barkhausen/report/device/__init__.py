"""The page about a characterised device."""
