"""What one training step optimises, and how: loss, optimiser, schedules of rates and margins, weight averaging."""
