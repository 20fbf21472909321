"""The page about networks that are left alone."""
