"""``kedro models export``: a version as files that numpy alone can read."""

from __future__ import annotations

from pathlib import Path

import click

from evergreen.commands.group import command, open_project
from evergreen.commands.table import print_json
from evergreen.errors import EvergreenError

CARD = "README.md"


@command("export", "export --use-case churn --to build/churn", "export --use-case churn --version 2 --to build/churn-2")
@click.option("--version", default=None, help="The version; default: the champion.")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True, help="A folder, made if absent.")
def export_command(use_case: str, env: str | None, as_json: bool, version: str | None, folder: Path) -> None:
    """Write a proven version as a plan, arrays and a reader that needs numpy alone."""
    open_project(use_case, env)
    from evergreen import registry
    from evergreen.serving.standalone import READ_FILE, export_standalone

    number = version or registry.aliases_of(use_case).get(registry.CHAMPION)
    if number is None:
        raise EvergreenError(f"{use_case} has no champion to export: name a version with --version.")
    made = export_standalone(use_case, number, folder)
    (made / CARD).write_text(_card(use_case, number), encoding="utf-8")
    if as_json:
        print_json({"use_case": use_case, "version": number, "folder": str(made)})
    else:
        click.echo(f"{use_case} version {number}: written to {made}; try `python {made / READ_FILE} rows.csv`.")


def _card(use_case: str, number: str) -> str:
    """The model card, with the metadata that a model hub reads."""
    from evergreen import registry
    from evergreen.reporting.model_card.hugging_face import hugging_face_card

    stored = registry.published_figures(use_case, number)
    return hugging_face_card(stored["model_card"], stored["evaluation"])
