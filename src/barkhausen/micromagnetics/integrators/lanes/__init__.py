"""Systems as the compiled kernel takes them, and what its integrators have in common."""
