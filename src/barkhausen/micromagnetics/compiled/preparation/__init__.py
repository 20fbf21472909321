"""What the compiled kernel is told about a film, and the arrays it is laid out in."""
