"""``python -m barkhausen``."""

import sys


def main() -> None:
    """Entry point of the command ``barkhausen``."""
    try:
        # Importing torch takes a second, in which a user may well press Ctrl-C.
        from barkhausen.cli.app import main as run  # noqa: PLC0415

        run()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        sys.exit(130)


if __name__ == "__main__":
    main()
