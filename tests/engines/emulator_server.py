"""Starts the emulator under its own Python, taught what it lacks of BigQuery.

- ``NUMERIC`` has nine decimals, not DuckDB's three.
- A sum of integers that is stored is an INTEGER.
- A dry run answers with an estimate of bytes, here one number for every query, and runs nothing.
- An upload may call its content ``*/*``, as Google's client does.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import duckdb_extensions
from bqemulator.api.routes import jobs, upload
from bqemulator.cli import main
from bqemulator.sql.translator import SQLTranslator
from bqemulator.storage import arrow_bridge

ESTIMATE = int(os.environ.get("EMULATED_BYTES", 10 * 1024**2))
NUMERIC = re.compile(r"\bAS (NUMERIC|DECIMAL)\)")

translate = SQLTranslator.translate
name_type = arrow_bridge.arrow_type_to_bq_type_name
answer = jobs._build_dry_run_query_response


def translate_wide(self: SQLTranslator, bq_sql: str, **options: Any) -> Any:
    return translate(self, NUMERIC.sub("AS NUMERIC(38, 9))", bq_sql), **options)


def name_sums_integers(arrow_type: Any) -> str:
    return "INTEGER" if str(arrow_type) == "decimal128(38, 0)" else name_type(arrow_type)


async def preview_nothing(**_: Any) -> dict[str, Any]:
    return {"schema": {"fields": []}}


async def answer_with_estimate(**asked: Any) -> dict[str, Any]:
    response = await answer(**asked)
    response["statistics"]["query"]["totalBytesProcessed"] = str(ESTIMATE)
    return response


SQLTranslator.translate = translate_wide
arrow_bridge.arrow_type_to_bq_type_name = name_sums_integers
jobs._dry_run_response = preview_nothing
jobs._build_dry_run_query_response = answer_with_estimate
upload._PERMITTED_MEDIA_CONTENT_TYPES += ("*/*",)

if __name__ == "__main__":
    duckdb_extensions.import_extension("spatial")
    sys.argv = ["bqemulator", "start", "--ephemeral", "--project", "demo", "--log-level", "warning", *sys.argv[1:]]
    main()
