"""Skyrmion memories: a disc that rests up, down or in a skyrmion, and is written by voltage pulses alone."""
