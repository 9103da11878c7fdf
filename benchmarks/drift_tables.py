"""Data of the drift benchmarks, and how their results are shown."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy import stats

SETTINGS: dict[str, tuple[int, int, int]] = {
    "1k / 1k": (1_000, 1_000, 10),
    "5k / 200": (5_000, 200, 10),
    "50k / 100": (50_000, 100, 10),
    "50k / 50k": (50_000, 50_000, 10),
    "2k / 2k, 100 levels": (2_000, 2_000, 100),
}


def table(
    rng: np.random.Generator,
    rows: int,
    levels: int = 10,
    shift: float = 0.0,
    moved: float = 0.0,
    spread: float = 1.0,
    wild: float = 0.0,
) -> pd.DataFrame:
    """Ten numeric and five categorical columns; drift only in x0 (shift, spread, a share ten times as large) and c0."""
    numbers = rng.standard_normal((10, rows))
    numbers[0] = numbers[0] * spread + shift
    if wild:
        numbers[0] = np.where(rng.random(rows) < wild, 10 * numbers[0], numbers[0])
    names = pa.array([f"level {i}" for i in range(levels)])
    codes = rng.integers(0, levels, (5, rows))
    if moved:
        leaving = (codes[0] == 1) & (rng.random(rows) < moved * levels)
        codes[0][leaving] = 0
    texts = {f"c{i}": pd.array(names.take(pa.array(code)), dtype="str") for i, code in enumerate(codes)}
    return pd.DataFrame({f"x{i}": values for i, values in enumerate(numbers)} | texts)


ZIPF = {"1k levels": 1_000, "5k levels": 5_000, "50k levels": 50_000}


def zipf_pairs(
    seeds: Iterable[int], levels: int, rows: int = 10_000, columns: int = 5
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Reference and window of categories whose k-th level has a share of 1/k, without drift; a pair a seed."""
    share = 1 / np.arange(1, levels + 1)
    names = pa.array([f"level {i}" for i in range(levels)])
    for seed in seeds:
        rng = np.random.default_rng(seed)
        codes = rng.choice(levels, (2, columns, rows), p=share / share.sum())
        yield tuple(  # type: ignore[misc]
            pd.DataFrame({f"c{i}": pd.array(names.take(pa.array(code)), dtype="str") for i, code in enumerate(side)})
            for side in codes
        )


def blocked(rng: np.random.Generator, weeks: int, stores: int = 20, rows: int = 5) -> pd.DataFrame:
    """Rows of stores and days: values shared within a block, trailing averages that last for weeks, and noise."""
    days = weeks * 7
    day, store = np.repeat(np.arange(days), stores * rows), np.tile(np.repeat(np.arange(stores), rows), days)
    columns = {"date": pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D")}
    for i in range(3):
        noise = np.cumsum(rng.normal(size=(days + 90, stores)), axis=0)
        average = (noise[90:] - noise[:-90]) / np.sqrt(90)
        columns[f"average{i}"] = average[day, store]
        columns[f"block{i}"] = rng.normal(size=(days, stores))[day, store]
        columns[f"free{i}"] = rng.normal(size=len(day))
    return pd.DataFrame(columns)


def pairs(
    seeds: Iterable[int], rows: int, window_rows: int, levels: int, **drift: float
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """A reference without drift and a window with or without it, a pair a seed."""
    for seed in seeds:
        rng = np.random.default_rng(seed)
        yield table(rng, rows, levels), table(rng, window_rows, levels, **drift)


def dependent_pairs(seeds: Iterable[int]) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """26 weeks of rows that depend on each other within blocks, and the week after them; a pair a seed."""
    for seed in seeds:
        rows = blocked(np.random.default_rng(seed), 27)
        old = rows["date"] < rows["date"].min() + pd.Timedelta(weeks=26)
        yield rows[old], rows[~old]


def rate(hits: int, trials: int) -> str:
    """A share with its one-sided 95 % Clopper–Pearson bound."""
    bound = float(stats.beta.ppf(0.95, hits + 1, trials - hits)) if hits < trials else 1.0
    return f"{hits / trials:.1%} (≤ {bound:.1%})"


def show(header: list[str], rows: Iterable[list]) -> None:
    """Print a markdown table, line by line as results come in."""
    print("| " + " | ".join(header) + " |\n|" + " --- |" * len(header), flush=True)
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)


def command_line(
    description: str | None, commands: Collection[str], repetitions: int, first_seed: int
) -> ArgumentParser:
    """What benchmarks of several commands are asked for."""
    parser = ArgumentParser(description=description, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=commands)
    parser.add_argument("--repetitions", type=int, default=repetitions)
    parser.add_argument("--first-seed", type=int, default=first_seed)
    parser.add_argument("--setting", help="only settings whose name contains this")
    return parser


def answer(parser: ArgumentParser, commands: Mapping[str, Callable[[Namespace], Iterator[list]]]) -> None:
    """Do what is asked for, and show the table that it yields line by line, its head first."""
    chosen = parser.parse_args()
    chosen.seeds = range(chosen.first_seed, chosen.first_seed + chosen.repetitions)
    lines = commands[chosen.command](chosen)
    show(next(lines), lines)
