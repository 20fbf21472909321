"""Networks left alone: accuracy after waiting at a temperature, and the power that keeps it."""

from barkhausen.experiment.retention.analysis import Retention, retention_of
from barkhausen.experiment.retention.settings import DAY, TEN_YEARS, YEAR, RetentionSettings, load_settings

__all__ = ["DAY", "TEN_YEARS", "YEAR", "Retention", "RetentionSettings", "load_settings", "retention_of"]
