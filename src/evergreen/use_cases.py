"""Which use cases there are, and what kind of source each has."""

from __future__ import annotations

# Use case → the kind of source that its features are made from; the only place where use cases are listed.
USE_CASES = {"high_value_sales": "retail", "churn": "one_table"}
