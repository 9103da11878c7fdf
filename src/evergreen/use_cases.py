"""Which use cases there are, and what kind of source each has."""

from __future__ import annotations

# Use case → the kind of source that its features are made from; the only place where use cases are listed.
USE_CASES = {"high_value_sales": "retail", "churn": "one_table"}


def use_case_of(namespace: str | None) -> str:
    """The use case of a node's namespace (``churn.training`` → ``churn``); empty for a node without one."""
    return (namespace or "").partition(".")[0]
