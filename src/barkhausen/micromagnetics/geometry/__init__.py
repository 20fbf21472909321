"""Shapes of films: outlines, rough edges, anisotropy maps, and the demagnetisation of cells and edges."""
