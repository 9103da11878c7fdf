"""``python -m evergreen run …``: the packaged project, with ``conf`` and ``data`` beside the caller."""

from __future__ import annotations

from evergreen.commands.project import open_here


def main() -> None:
    """Run the project's own commands."""
    open_here()
    from evergreen.cli import cli

    cli()


if __name__ == "__main__":
    main()
