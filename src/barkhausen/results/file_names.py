"""Files of a sweep's directory."""

SWEEP, TABLE, CHIPS, TIMINGS = "sweep.toml", "table.parquet", "chips.parquet", "timings.parquet"
