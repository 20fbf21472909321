"""Files of magnetisation states."""
