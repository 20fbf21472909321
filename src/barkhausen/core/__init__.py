"""What every layer above rests on: errors, configuration, files, progress, units and seeds."""
