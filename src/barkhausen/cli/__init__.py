"""The command line of ``barkhausen``."""
