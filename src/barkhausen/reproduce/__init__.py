"""Published systems, reproduced."""
