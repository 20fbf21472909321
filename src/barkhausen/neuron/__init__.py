"""Elements between devices and networks: neurons that integrate and fire, and reservoirs."""
