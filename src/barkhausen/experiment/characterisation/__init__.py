"""Device files from parameter files: devices with states, devices of other kinds, and measured trains of pulses."""
