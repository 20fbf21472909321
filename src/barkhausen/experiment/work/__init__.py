"""The computations that tasks of a sweep consist of, and the row of results of each."""
