"""A proposal as a folder of YAML: ``conf/<env>/<name>/`` with use_cases.yml, catalog.yml and parameters.yml."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

from evergreen.commands.use_case.facts import TableFacts
from evergreen.commands.use_case.proposal import Proposal
from evergreen.rows.parameters import SplitParameters

MOST_TEST_DAYS, TEST_SHARE = 91, 0.2
_PLAIN, _WORDS = re.compile(r"[A-Za-z_]\w*"), {"y", "n", "yes", "no", "true", "false", "on", "off", "null"}
WINDOW_ROWS, LONGEST_WINDOW = 500, 28


def written(name: str, facts: TableFacts, proposal: Proposal, allowed: list[str], others: list[str]) -> dict[str, str]:
    """The texts of the folder's files.

    Args:
        name: The use case.
        facts: Its table, counted.
        proposal: What each column is for.
        allowed: Features that tell the outcome and are known in time all the same.
        others: Use cases that a new environment leaves out.
    """
    return {
        "use_cases.yml": _use_cases(name, proposal, others),
        "catalog.yml": _catalog(name, facts, proposal),
        "parameters.yml": _parameters(name, facts, proposal, allowed),
    }


def _use_cases(name: str, proposal: Proposal, others: list[str]) -> str:
    kind = "dated_table" if proposal.date else "one_table"
    left = "".join(f"{other}: ~   # not in this environment\n" for other in others)
    return f"{name}: {{source: {kind}}}\n{left}"


def _catalog(name: str, facts: TableFacts, proposal: Proposal) -> str:
    entry = _entry(facts, proposal)
    if proposal.date:
        return f"# One table whose rows have dates; newer rows are simply more rows.\n{name}.rows:\n{entry}"
    return (
        f"# What the model learns from.\n{name}.customers:\n{entry}\n"
        f"# The newest snapshot, which scoring and monitoring look at: the same file until there is a newer one.\n"
        f"{name}.current:\n{entry}"
    )


def _entry(facts: TableFacts, proposal: Proposal) -> str:
    folder = f"{facts.file}/**/*.parquet" if facts.format == "parquet" else str(facts.file)
    lines = [
        "  type: ibis.FileDataset",
        f"  filepath: {_yaml(folder if facts.file.is_dir() else str(facts.file))}",
        f"  file_format: {facts.format}",
        "  connection: ${globals:connection}",
    ]
    if facts.format == "csv":
        texts = [proposal.entity, *proposal.block, *proposal.categorical]
        texts += [proposal.target] if facts.columns[proposal.target].stored == "VARCHAR" else []
        types = dict.fromkeys(texts, "VARCHAR") | dict(facts.load_args.get("types", {}))
        lines += ["  load_args:"]
        lines += [f"    {_yaml(name)}: {_yaml(value)}" for name, value in facts.load_args.items() if name != "types"]
        lines += ["    types:            # as written in the file"]
        lines += [f"      {_yaml(name)}: {kind}" for name, kind in types.items()]
    return "\n".join(lines) + "\n"


def _parameters(name: str, facts: TableFacts, proposal: Proposal, allowed: list[str]) -> str:
    said = "".join(f"# {line}\n" for line in proposal.decisions)
    lines = [
        f"{said}{name}:",
        "  table:",
        f"    entity: {_yaml(proposal.entity)}",
        f"    date: {_yaml(proposal.date)}",
        *([f"    time_zone: {proposal.time_zone}"] if proposal.time_zone else []),
        *(
            ["    panel: true   # an entity has a row a date, and all its rows stand on one side"]
            if proposal.panel
            else []
        ),
        *([f"    block: {_list(proposal.block)}"] if proposal.block else []),
        f"    target: {_yaml(proposal.target)}",
        f"    positive: {_yaml(proposal.positive)}",
        "    numeric:" + (_items(proposal.numeric) or " []"),
        "    categorical:" + (_items(proposal.categorical) or " []"),
        *_outcome_time(proposal),
        *(f"    # left out: {column}, {reason}" for column, reason in proposal.left_out.items()),
    ]
    lines += _policies(facts, proposal, allowed)
    return "\n".join(lines) + "\n"


def _outcome_time(proposal: Proposal) -> list[str]:
    """Columns that training refuses as features, by name."""
    if not proposal.outcome_time:
        return []
    return ["    columns:", *(f"      {_yaml(name)}: {{known_at: outcome}}" for name in proposal.outcome_time)]


def _policies(facts: TableFacts, proposal: Proposal, allowed: list[str]) -> list[str]:
    """What differs from the defaults because of the table's size and span."""
    lines = []
    if allowed:
        lines += [
            "  training:",
            f"    leakage: {{allow: {_list(allowed)}}}   # they tell the outcome, and are known before it",
        ]
    if proposal.days is None:
        rows = max(50, min(1000, facts.rows // 2))
        return [*lines, "  retraining:", f"    gate: {{min_rows: {rows}}}   # a smaller snapshot is not learnt from"]
    window, recent, rows = windows(facts.rows, proposal.days)
    test_days = days_of_tests(facts.rows, proposal.days, panel=proposal.panel)
    return [
        *lines,
        "  split:",
        "    history_days: 0     # no feature looks back, so that no day is lost to it",
        f"    test_days: {test_days}       # the last days, which the model is tested on",
        f"    label_delay_days: {proposal.label_delay_days} # days until an outcome is known",
        f"  window_days: {window}        # scored and watched: long enough to hold some {WINDOW_ROWS} rows",
        "  retraining:",
        f"    window_days: {recent + proposal.label_delay_days}     # newest days that choose and judge a challenger",
        f"    gate: {{min_rows: {rows}, min_days: {min(5, max(1, recent // 2))}}}",
    ]


def days_of_tests(rows: int, days: tuple[dt.date, dt.date], *, panel: bool) -> int:
    """Days at the end that a version is tested on; in a panel, where few entities are tested, enough for a verdict."""
    usual = min(MOST_TEST_DAYS, int(TEST_SHARE * _span(days)))
    tested = rows * SplitParameters().judging_share / _span(days)
    return max(1, usual, min(round(WINDOW_ROWS / tested), _span(days) // 3) if panel else 0)


def windows(rows: int, days: tuple[dt.date, dt.date]) -> tuple[int, int, int]:
    """Days of monitoring's window, days of retraining's, and the rows that retraining asks of these."""
    daily = rows / _span(days)
    window = int(max(1, min(LONGEST_WINDOW, _span(days) // 10, max(7, round(WINDOW_ROWS / daily)))))
    recent = int(max(window, min(4 * window, _span(days) // 5)))
    return window, recent, int(max(50, min(1000, daily * recent / 2)))


def _span(days: tuple[dt.date, dt.date]) -> int:
    return (days[1] - days[0]).days + 1


def _items(names: list[str]) -> str:
    return "".join(f"\n      - {_yaml(name)}" for name in names)


def _list(names: list[str]) -> str:
    return f"[{', '.join(map(_yaml, names))}]"


def _yaml(value: Any) -> str:
    """A scalar as YAML reads it back, which JSON's spelling is; what looks like a template of configuration is none."""
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return json.dumps(value)
    text = str(value).replace("${", r"\${")
    return text if _PLAIN.fullmatch(text) and text.lower() not in _WORDS else json.dumps(text, ensure_ascii=False)
