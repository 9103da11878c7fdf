"""What becomes of the champion when its use case was edited: same lineage, a new one, or another table altogether?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from evergreen.errors import EvergreenError
from evergreen.invocation import command
from evergreen.registry.manifest import Manifest
from evergreen.registry.versions import CHALLENGER, CHAMPION, ModelVersion, aliases_of, load
from evergreen.rows.parameters import LabelPolicy
from evergreen.schema import TableSpec

# What the outcome and the unit of a row mean: versions that differ in one of these are no rivals.
_MEANING = ("entity", "date", "panel", "block", "target", "positive", "threshold")
_SAME_TABLE = 0.5  # share of the champion's features that a table must still have if entity and target are both renamed


@dataclass(frozen=True)
class Edit:
    """What differs between the table that a version was trained on and the one that is declared now.

    Attributes:
        version: The version.
        meaning: Declarations that start a new lineage, as ``target churned → left``.
        dropped: Features of the version that are declared no more.
        added: Features that it does not know.
        retyped: Features that were numbers and are categories now, or the other way round.
    """

    version: str
    meaning: tuple[str, ...]
    dropped: tuple[str, ...]
    added: tuple[str, ...]
    retyped: tuple[str, ...] = ()

    def sentence(self, use_case: str) -> str:
        """What was edited and what becomes of the version; empty where nothing was."""
        said = [*self.meaning]
        said += [f"without {', '.join(self.dropped)}"] if self.dropped else []
        said += [f"with {', '.join(self.added)}"] if self.added else []
        said += [f"with {', '.join(self.retyped)} of another kind (number, category)"] if self.retyped else []
        if not said:
            return ""
        serves = (
            f"version {self.version} keeps serving on the columns that it was trained with until then, as long as the "
            "table and its features have them"
        )
        if self.meaning:
            follows = f"this starts a new lineage, whose first version is judged by itself; {serves}"
        else:
            follows = f"the next version is trained so and judged against version {self.version}; {serves}"
        return f"{use_case}: the table is now declared {'; '.join(said)}: {follows}."


def compare_declarations(version: str, then: TableSpec, now: TableSpec) -> Edit:
    """What was edited since a version was trained.

    Args:
        version: The version's number.
        then: The table that it was trained on.
        now: The table as it is declared.
    """
    return Edit(
        version=version,
        meaning=_meanings(then, now),
        dropped=tuple(name for name in then.features if name not in now.features),
        added=tuple(name for name in now.features if name not in then.features),
        retyped=tuple(name for name in now.features if _is_of_another_kind(name, then, now)),
    )


def _is_of_another_kind(feature: str, then: TableSpec, now: TableSpec) -> bool:
    return feature in then.features and (feature in then.numeric) != (feature in now.numeric)


def same_lineage(incumbent: ModelVersion | None, spec: TableSpec, label: LabelPolicy) -> Manifest | None:
    """The champion's manifest where its label definition still speaks of this outcome; None starts a new lineage.

    Args:
        incumbent: The champion, or None.
        spec: The table as it is declared.
        label: How a threshold would be found.
    """
    if (
        incumbent is None
        or _meanings(incumbent.manifest.spec, spec)
        or _other_quantile(incumbent.manifest, spec, label)
    ):
        return None
    return incumbent.manifest


def _other_quantile(manifest: Manifest, spec: TableSpec, label: LabelPolicy) -> bool:
    then = manifest.label.quantile
    return spec.positive is None and spec.threshold is None and then is not None and then != label.quantile


def is_another_table(then: TableSpec, now: TableSpec) -> bool:
    """Whether two declarations can't be of one table: no feature in common, or few and another entity and target."""
    kept = sum(name in now.features for name in then.features)
    renamed = then.entity != now.entity and then.target != now.target
    return kept == 0 or (renamed and kept < _SAME_TABLE * len(then.features))


def _meanings(then: TableSpec, now: TableSpec) -> tuple[str, ...]:
    pairs = {name: (_said(getattr(then, name)), _said(getattr(now, name))) for name in _MEANING}
    pairs["block"] = (_said(then.block_columns), _said(now.block_columns))
    return tuple(f"{name} {old} → {new}" for name, (old, new) in pairs.items() if old != new)


def edit_of(use_case: str, declared: TableSpec, label: LabelPolicy) -> Edit | None:
    """What was edited since the version that serves, or the one that wants to, was trained; None before the first.

    Raises:
        EvergreenError: Where the registry holds a model of another table under the use case's name.
    """
    pointing = aliases_of(use_case)
    number = pointing.get(CHAMPION) or pointing.get(CHALLENGER)
    if number is None:
        return None
    manifest = load(use_case, number).manifest
    then = manifest.spec
    if is_another_table(then, declared):
        raise EvergreenError(
            f"{use_case} is another table here than the one that version {number} was trained on "
            f"({_described(then)}; declared here: {_described(declared)}): nothing was run. Give it a name of its own "
            "with `kedro use-case add`, or give the environment its own data: in conf/<env>/globals.yml, or its own "
            "registry in conf/<env>/mlflow.yml."
        )
    edit = compare_declarations(number, then, declared)
    if not _other_quantile(manifest, declared, label):
        return edit
    return replace(edit, meaning=(*edit.meaning, f"quantile {manifest.label.quantile} → {label.quantile}"))


def carried(table: TableSpec, incumbent: ModelVersion | None, columns: Collection[str]) -> TableSpec:
    """The table with the columns that the champion still needs, where the source has them.

    Args:
        table: The table as it is declared.
        incumbent: The version that serves, or None.
        columns: Columns of the source.
    """
    if incumbent is None:
        return table
    then, taken = incumbent.manifest.spec, {*table.features, *table.keys, table.target}
    keys, numeric, categorical = (
        [name for name in dict.fromkeys(names) if name in columns and name not in taken]
        for names in ([*then.keys, then.target], then.numeric, then.categorical)
    )
    return table.model_copy(
        update={
            "date": table.date or (then.date if then.date in keys else None),
            "block": [*table.block, *keys],
            "numeric": [*table.numeric, *(name for name in numeric if name not in keys)],
            "categorical": [*table.categorical, *(name for name in categorical if name not in keys)],
        }
    )


def trained_spec(incumbent: ModelVersion | None) -> TableSpec | None:
    """The table that the version which serves was trained on; None before the first."""
    return None if incumbent is None else incumbent.manifest.spec


def lacking(version: ModelVersion, columns: Collection[str]) -> list[str]:
    """The keys and features that a version needs and rows do not have."""
    spec = version.manifest.spec
    return [name for name in dict.fromkeys([*spec.keys, *spec.features]) if name not in columns]


def require_columns(version: ModelVersion, columns: Collection[str]) -> None:
    """Refuse rows that lack what a version needs.

    Raises:
        EvergreenError: Naming the columns, and what to do.
    """
    missing = lacking(version, columns)
    if missing:
        training = command("kedro run --pipelines=feature_engineering,training,evaluation", version.use_case)
        raise EvergreenError(
            f"{version.use_case} version {version.version} needs {', '.join(missing)}, which the table no longer has: "
            "bring the columns back, or train and judge a version without them "
            f"(`{training}`)."
        )


def _described(table: TableSpec) -> str:
    return f"entity {table.entity}, target {table.target}, features such as {', '.join(table.features[:3])}"


def _said(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
