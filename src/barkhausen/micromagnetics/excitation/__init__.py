"""What drives a film in time: waveforms of currents, fields and gate voltages."""
