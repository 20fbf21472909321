"""``python -m barkhausen``."""

from barkhausen.cli import main

main()
