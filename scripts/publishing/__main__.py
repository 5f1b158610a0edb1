"""What ``scripts/release_notes`` runs."""

import sys

from . import NotReadyError, release_notes


def main() -> int:
    """Print the notes; return the exit code."""
    if len(sys.argv) != 2:
        print("usage: scripts/release_notes VERSION", file=sys.stderr)
        return 2
    try:
        print(release_notes(sys.argv[1]), end="")
    except NotReadyError as err:
        print(f"release_notes: {err}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
