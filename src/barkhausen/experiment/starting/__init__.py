"""What a run takes from other runs: initial weights, a precursor, further epochs, a teacher."""
