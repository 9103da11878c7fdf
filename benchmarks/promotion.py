"""How often a challenger is promoted, by simulation, beside the naive rule "gain over .005 on one split".

Scores are binormal with a champion's AUC of .74 and 22 % positives; champion and challenger share most of
their noise, as real pairs do. With blocks, 20 rows share half of the noise and a block's own base rate.

A second table trains again and again: 20 equal challengers, one after the other, on the same judging rows, as
``kedro run --pipelines=training,evaluation`` with 20 other seeds does; how often is any of them promoted, with looks
counted and without?

A third gives blocks lognormal sizes, so that a few hold most of the rows: how often does the lower bound of an equal
challenger's gain lie above 0, at an alpha of 2.5 %?

A fourth looks every week for a year at one challenger whose judging rows accumulate, 150 a week: in which share of
years is it promoted?

Run: ``python benchmarks/promotion.py --draws 400 --series 200``.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.stats import norm

from evergreen.evaluation.accumulating import WeighedPart, showing
from evergreen.evaluation.gain import Gain, cutoff_gain, dependence_of, pooled_gain
from evergreen.evaluation.promotion import DEFAULT_POLICY, decide_promotion
from evergreen.evaluation.sequential import spending_bounds
from evergreen.evaluation.spending import alpha_of_challenger, alpha_of_newest, spend_alpha

CHAMPION_AUC = 0.74
POSITIVES = 0.22
MODEL_CORRELATION = 0.85
ROWS_PER_BLOCK = 20
BLOCK_SHARE = 0.5
NAIVE_GAIN = 0.005
SEEDS = 20
WEEKS = 52
WEEK_ROWS = 150


def noise(rng: np.random.Generator, rows: int, block: np.ndarray | None) -> np.ndarray:
    """Standard normal noise, shape (rows,); with blocks half of its variance belongs to the block."""
    if block is None:
        return rng.normal(size=rows)
    shared = rng.normal(size=block.max() + 1)[block]
    return np.sqrt(BLOCK_SHARE) * shared + np.sqrt(1 - BLOCK_SHARE) * rng.normal(size=rows)


def judging_rows(rng: np.random.Generator, rows: int, blocked: bool, *aucs: float) -> tuple[np.ndarray, ...]:
    """Labels, blocks (or None), and the scores of one model an AUC; all models share most of their noise."""
    block = np.arange(rows) // ROWS_PER_BLOCK if blocked else None
    rate = np.full(rows, POSITIVES) if block is None else rng.beta(2.2, 7.8, size=block.max() + 1)[block]
    y = rng.random(rows) < rate
    common = np.sqrt(MODEL_CORRELATION) * noise(rng, rows, block)
    scores = [
        np.sqrt(2) * norm.ppf(auc) * y + common + np.sqrt(1 - MODEL_CORRELATION) * noise(rng, rows, block)
        for auc in aucs
    ]
    return y, block, *scores


def simulate(rows: int, gain: float, blocked: bool, draws: int, seed: int = 0) -> tuple[float, float, float]:
    """Share promoted, share promoted by the naive rule, median minimum detectable gain."""
    rng = np.random.default_rng([seed, rows, int(gain * 1000), blocked])
    promoted, naive, detectable = 0, 0, []
    for _ in range(draws):
        y, block, champion, challenger = judging_rows(rng, rows, blocked, CHAMPION_AUC, CHAMPION_AUC + gain)
        decision = decide_promotion(y, champion, challenger, blocks=block)
        promoted += decision.decision == "promote"
        if decision.difference is not None and decision.minimum_detectable_gain is not None:
            naive += decision.difference > NAIVE_GAIN
            detectable.append(decision.minimum_detectable_gain)
    return promoted / draws, naive / draws, float(np.median(detectable))


def unequal_blocks(blocks: int, spread: float, draws: int, seed: int = 0) -> float:
    """Share of draws whose lower bound is above 0 although both models are equal."""
    rng = np.random.default_rng([seed, blocks, int(spread * 100)])
    cleared = 0
    for _ in range(draws):
        block = np.repeat(np.arange(blocks), np.ceil(8 * rng.lognormal(0, spread, blocks)).astype(int))
        y = rng.random(len(block)) < rng.beta(2.2, 7.8, blocks)[block]
        common = np.sqrt(MODEL_CORRELATION) * noise(rng, len(block), block)
        pair = [
            np.sqrt(2) * norm.ppf(CHAMPION_AUC) * y + common + np.sqrt(1 - MODEL_CORRELATION) * own
            for own in (noise(rng, len(block), block), noise(rng, len(block), block))
        ]
        bounds = decide_promotion(y, *pair, blocks=block).ci
        cleared += bounds is not None and bounds[0] > 0
    return cleared / draws


def seeds_on_the_same_rows(rows: int, blocked: bool, series: int, counted: bool, seed: int = 0) -> float:
    """Share of series in which any of 20 challengers that equal the champion is promoted on the same rows."""
    rng = np.random.default_rng([seed, rows, blocked])
    looks = range(1, SEEDS + 1)
    alphas = [spend_alpha(DEFAULT_POLICY.alpha, look) if counted else DEFAULT_POLICY.alpha for look in looks]
    policies = [DEFAULT_POLICY.model_copy(update={"alpha": alpha}) for alpha in alphas]
    promoted = 0
    for _ in range(series):
        y, block, champion, *challengers = judging_rows(rng, rows, blocked, *[CHAMPION_AUC] * (SEEDS + 1))
        pairs = zip(challengers, policies, strict=True)
        promoted += any(decide_promotion(y, champion, s, p, block).decision == "promote" for s, p in pairs)
    return promoted / series


def weekly_looks(rng: np.random.Generator, gain: float, start: int = 0) -> list[tuple[Gain, Gain]]:
    """All days and the newest four weeks at the end of each week; the gain is there from week ``start`` on."""
    weeks, looks = [], []
    for week in range(WEEKS):
        ahead = gain if week >= start else 0.0
        y, _, champion, challenger = judging_rows(rng, WEEK_ROWS, False, CHAMPION_AUC, CHAMPION_AUC + ahead)
        weeks.append(cutoff_gain(y, champion, challenger, 7 * week + rng.integers(0, 7, WEEK_ROWS)))
        looks.append((pooled_gain(weeks), pooled_gain(weeks[-4:], dependence_of(weeks[:-4]))))
    return looks


def promoted_in_week(looks: list[tuple[Gain, Gain]]) -> int | None:
    """First week in which the first challenger of a champion is promoted."""
    alpha = alpha_of_challenger(DEFAULT_POLICY.alpha, 1)
    elapsed = np.arange(1, WEEKS + 1) / WEEKS
    levels = norm.sf(spending_bounds(np.array([whole.information for whole, _ in looks]), elapsed * alpha / 2))
    for week, (whole, newest) in enumerate(looks):
        parts = (
            WeighedPart("all days", whole, float(levels[week])),
            WeighedPart("newest days", newest, alpha_of_newest(alpha, week + 1)),
        )
        if showing(parts, DEFAULT_POLICY.min_improvement) is not None:
            return week
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--series", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--years-alone", action="store_true", help="the last table alone")
    arguments = parser.parse_args()
    if not arguments.years_alone:
        single_looks(arguments)
    years_of_looks(arguments)


def single_looks(arguments: argparse.Namespace) -> None:
    """Tables of comparisons that are looked at once, or of many challengers on the same rows."""
    print("| rows | dependence | true gain | promoted | naive rule | minimum detectable gain (median) |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for gain, sizes in ((0.0, (500, 2_000, 10_000)), (0.03, (2_000, 5_000, 10_000))):
        for blocked in (False, True):
            for rows in sizes:
                promoted, naive, detectable = simulate(rows, gain, blocked, arguments.draws, arguments.seed)
                kind = f"blocks of {ROWS_PER_BLOCK}" if blocked else "none"
                print(f"| {rows:,} | {kind} | {gain:g} | {promoted:.1%} | {naive:.1%} | {detectable:.3f} |")
    print(f"\n| rows | dependence | any of {SEEDS} equal challengers promoted: looks counted | not counted |")
    print("| ---: | --- | ---: | ---: |")
    for blocked in (False, True):
        kind = f"blocks of {ROWS_PER_BLOCK}" if blocked else "none"
        found = [
            seeds_on_the_same_rows(2_000, blocked, arguments.series, each, arguments.seed) for each in (True, False)
        ]
        print(f"| 2,000 | {kind} | {found[0]:.1%} | {found[1]:.1%} |")
    print("\n| blocks | sd of the logarithm of their size | lower bound above 0 |")
    print("| ---: | ---: | ---: |")
    for blocks in (60, 200):
        for spread in (0.0, 1.5, 2.0):
            cleared = unequal_blocks(blocks, spread, 5 * arguments.draws, arguments.seed)
            print(f"| {blocks} | {spread:g} | {cleared:.1%} |")


def years_of_looks(arguments: argparse.Namespace) -> None:
    """The table of challengers that are looked at every week."""
    print(f"\n| true gain, {WEEK_ROWS} rows a week | from week | years with a promotion | median weeks until then |")
    print("| ---: | ---: | ---: | ---: |")
    for gain, start in ((0.0, 0), (0.01, 0), (0.02, 0), (0.03, 0), (0.05, 20)):
        rng = np.random.default_rng([arguments.seed, int(1000 * gain), start])
        weeks = [promoted_in_week(weekly_looks(rng, gain, start)) for _ in range(arguments.draws)]
        found = [week - start + 1 for week in weeks if week is not None]
        wait = f"{np.median(found):.0f}" if found else "–"
        print(f"| {gain:g} | {start} | {len(found) / len(weeks):.1%} | {wait} |", flush=True)


if __name__ == "__main__":
    main()
