"""ROC AUC with its covariance for any number of rows: scores in fine bins, everything added up where the rows lie."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from evergreen.errors import EvergreenError
from evergreen.evaluation.auc import AucCovariance, Floats

BINS = 65_536


@dataclass(frozen=True)
class BinnedAuc:
    """AUCs from binned scores.

    Attributes:
        found: AUCs and their covariance.
        error: What each AUC may be off by the bins, at most: half the chance that a positive and a negative share one.
    """

    found: AucCovariance
    error: tuple[float, ...]


def binned_auc_covariance(table: ir.Table, scores: list[str], unit: str | None = None, bins: int = BINS) -> BinnedAuc:
    """As :func:`~evergreen.evaluation.auc.auc_covariance`, in constant memory: two passes over the rows.

    Rows of one bin count as ties. Structural components (DeLong 1988) are those of the bins; by units they are summed
    first (Obuchowski 1997).

    Args:
        table: ``label`` 0/1 and the scores, in [0, 1]; none missing.
        scores: Columns of scores.
        unit: Column of the rows' units; None: rows are independent.
        bins: Bins of equal width.

    Raises:
        EvergreenError: Where a class is found in fewer than two rows (units).
    """
    columns = {f"s{k}": (table[name] * bins).floor().clip(0, bins - 1).cast("int32") for k, name in enumerate(scores)}
    rows = table.select(label=table["label"].cast("int8"), unit=table[unit] if unit else ibis.null("string"), **columns)
    parts = [_components(rows, name, bins) for name in columns]
    joined = rows
    for name, part in zip(columns, parts, strict=True):
        lookup = ibis.memtable(part.lookup.rename(columns={"bin": name, "component": f"c{name}", "label": f"l{name}"}))
        joined = joined.inner_join(lookup, [(joined[name] == lookup[name]), (joined["label"] == lookup[f"l{name}"])])
        joined = joined.drop(f"l{name}", *(other for other in joined.columns if other.endswith("_right")))
    found = _covariance(joined, [f"c{name}" for name in columns], unit is not None)
    aucs = np.array([part.auc for part in parts])
    return BinnedAuc(AucCovariance(aucs, *found), tuple(part.error for part in parts))


@dataclass(frozen=True)
class _Components:
    auc: float
    error: float
    lookup: pd.DataFrame


def _components(rows: ir.Table, name: str, bins: int) -> _Components:
    """AUC of one score, and what a row of each class and bin adds to it, less the AUC and over its class."""
    counts = rows.group_by(name, "label").agg(n=rows.count()).execute()
    held = np.zeros((2, bins))
    held[counts["label"].to_numpy(int), counts[name].to_numpy(int)] = counts["n"]
    negatives, positives = held
    n, m = negatives.sum(), positives.sum()
    if min(n, m) < 2:
        raise EvergreenError(f"the AUC needs both classes twice, found {m:.0f} positives and {n:.0f} negatives")
    above = (np.cumsum(negatives) - negatives / 2) / n
    below = 1 - (np.cumsum(positives) - positives / 2) / m
    auc = float(positives @ above / m)
    component = np.concatenate([(below - auc) / n, (above - auc) / m])
    lookup = pd.DataFrame(
        {
            "bin": np.tile(np.arange(bins, dtype=np.int32), 2),
            "label": np.repeat(np.array([0, 1], dtype=np.int8), bins),
            "component": component,
        }
    )
    filled = lookup[np.concatenate([negatives, positives]) > 0]
    return _Components(auc, float(negatives @ positives / (2 * n * m)), filled)


def _covariance(rows: ir.Table, names: list[str], by_unit: bool) -> tuple[Floats, int]:
    """Sums of products of components, within classes and (by units) across them."""
    is_positive = rows["label"] == 1
    sides = {
        f"{side}{name}": chosen.ifelse(rows[name], 0.0)
        for side, chosen in (("p", is_positive), ("n", ~is_positive))
        for name in names
    }
    table = rows.select(unit=rows["unit"], has_p=is_positive.cast("int8"), has_n=(~is_positive).cast("int8"), **sides)
    if by_unit:
        summed = {name: table[name].sum() for name in sides}
        table = table.group_by("unit").agg(has_p=table["has_p"].max(), has_n=table["has_n"].max(), **summed)
    pairs = [(left, right) for left in sides for right in sides]
    counts = {"units_p": table["has_p"].sum(), "units_n": table["has_n"].sum(), "units": table.count()}
    sums = {f"{left}_{right}": (table[left] * table[right]).sum() for left, right in pairs}
    found = table.aggregate(**counts, **sums).execute().iloc[0]
    rarer = int(min(found["units_p"], found["units_n"]))
    if rarer < 2:
        raise EvergreenError(f"the AUC's variance needs each class in at least 2 units, found {rarer}: add rows")

    def products(left: str, right: str) -> Floats:
        matrix = [[float(found[f"{left}{a}_{right}{b}"]) for b in names] for a in names]
        count = int(found[{"pp": "units_p", "nn": "units_n"}.get(left + right, "units")])
        return np.array(matrix) * count / (count - 1)

    joint = products("p", "n")
    return products("p", "p") + products("n", "n") + joint + joint.T, rarer - 1
