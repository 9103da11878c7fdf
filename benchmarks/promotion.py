"""How often a challenger is promoted, by simulation, beside the naive rule "gain over .005 on one split".

Scores are binormal with a champion's AUC of .74 and 22 % positives; champion and challenger share most of
their noise, as real pairs do. With blocks, 20 rows share half of the noise and a block's own base rate.

Run: ``python benchmarks/promotion.py --draws 400``.
"""

from __future__ import annotations

import argparse

import numpy as np
from scipy.stats import norm

from evergreen.evaluation.promotion import decide_promotion

CHAMPION_AUC = 0.74
POSITIVES = 0.22
MODEL_CORRELATION = 0.85
ROWS_PER_BLOCK = 20
BLOCK_SHARE = 0.5
NAIVE_GAIN = 0.005


def noise(rng: np.random.Generator, rows: int, block: np.ndarray | None) -> np.ndarray:
    """Standard normal noise, shape (rows,); with blocks half of its variance belongs to the block."""
    if block is None:
        return rng.normal(size=rows)
    shared = rng.normal(size=block.max() + 1)[block]
    return np.sqrt(BLOCK_SHARE) * shared + np.sqrt(1 - BLOCK_SHARE) * rng.normal(size=rows)


def judging_rows(rng: np.random.Generator, rows: int, gain: float, blocked: bool) -> tuple[np.ndarray, ...]:
    """Labels, champion's scores, challenger's scores and blocks (or None)."""
    block = np.arange(rows) // ROWS_PER_BLOCK if blocked else None
    rate = np.full(rows, POSITIVES) if block is None else rng.beta(2.2, 7.8, size=block.max() + 1)[block]
    y = rng.random(rows) < rate
    common = np.sqrt(MODEL_CORRELATION) * noise(rng, rows, block)
    scores = [
        np.sqrt(2) * norm.ppf(auc) * y + common + np.sqrt(1 - MODEL_CORRELATION) * noise(rng, rows, block)
        for auc in (CHAMPION_AUC, CHAMPION_AUC + gain)
    ]
    return y, scores[0], scores[1], block


def simulate(rows: int, gain: float, blocked: bool, draws: int, seed: int = 0) -> tuple[float, float, float]:
    """Share promoted, share promoted by the naive rule, median minimum detectable gain."""
    rng = np.random.default_rng([seed, rows, int(gain * 1000), blocked])
    promoted, naive, detectable = 0, 0, []
    for _ in range(draws):
        y, champion, challenger, block = judging_rows(rng, rows, gain, blocked)
        decision = decide_promotion(y, champion, challenger, blocks=block)
        promoted += decision.decision == "promote"
        if decision.difference is not None and decision.minimum_detectable_gain is not None:
            naive += decision.difference > NAIVE_GAIN
            detectable.append(decision.minimum_detectable_gain)
    return promoted / draws, naive / draws, float(np.median(detectable))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print("| rows | dependence | true gain | promoted | naive rule | minimum detectable gain (median) |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for gain, sizes in ((0.0, (500, 2_000, 10_000)), (0.03, (2_000, 5_000, 10_000))):
        for blocked in (False, True):
            for rows in sizes:
                promoted, naive, detectable = simulate(rows, gain, blocked, arguments.draws, arguments.seed)
                kind = f"blocks of {ROWS_PER_BLOCK}" if blocked else "none"
                print(f"| {rows:,} | {kind} | {gain:g} | {promoted:.1%} | {naive:.1%} | {detectable:.3f} |")


if __name__ == "__main__":
    main()
