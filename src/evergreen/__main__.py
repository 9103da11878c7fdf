"""``evergreen …`` and ``python -m evergreen …``: the project's commands, ``conf`` and ``data`` around the caller."""

from __future__ import annotations


def main() -> None:
    """Run the project's own commands."""
    from evergreen.cli import cli

    cli(prog_name="evergreen")


if __name__ == "__main__":
    main()
