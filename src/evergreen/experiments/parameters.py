"""What is an experiment, and which of a use case's runs? Variants, metric, guardrails, looks, as YAML defines them."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from evergreen.evaluation.sequential import Kind
from evergreen.experiments.multiplicity import Method
from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS

Mode = Literal["replay", "shadow", "split"]
MetricKind = Literal["roc_auc", "accuracy", "log_loss", "brier", "value", "binary", "continuous", "ratio"]
Direction = Literal["increase", "decrease"]
PAIRED: tuple[Mode, ...] = ("replay", "shadow")
LOSSES: tuple[MetricKind, ...] = ("log_loss", "brier")
OF_THE_ROW: tuple[MetricKind, ...] = ("binary", "ratio")
OF_THE_VERSION = ("probability", "prediction", "confidence", "latency_ms")
"""Columns of which each version that scores a request has its own."""

NumberOrName = Annotated[str, BeforeValidator(lambda value: str(value) if isinstance(value, int) else value)]


class VariantPolicy(Frozen):
    """One side of an experiment.

    Attributes:
        version: The version that answers: an alias (``champion``, ``challenger``) or a number.
        weight: Its share of the units, next to the other's.
    """

    version: NumberOrName
    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)


class MetricPolicy(Frozen):
    """What is compared.

    Attributes:
        kind: ``roc_auc``, ``accuracy``, ``log_loss`` and ``brier`` need outcomes; ``value`` is what a decision brought,
            by ``gains``; ``binary`` and ``continuous`` are a column's mean (``binary``: the outcome where no column is
            named), ``ratio`` the ratio of two columns' sums.
        column: Column of the exposures; of a ratio the numerator.
        denominator: Of a ratio, the column below.
        direction: What counts as better; losses are better when they decrease.
        minimum_effect: Smallest absolute difference that is worth finding.
        per_unit: What a unit with several rows counts as: the mean, sum or largest of its values.
    """

    kind: MetricKind = "roc_auc"
    column: str | None = None
    denominator: str | None = None
    direction: Direction | None = None
    minimum_effect: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    per_unit: Literal["mean", "sum", "max"] = "mean"

    @model_validator(mode="after")
    def _columns_fit_the_kind(self) -> MetricPolicy:
        if self.kind == "ratio" and not (self.column and self.denominator):
            raise ValueError("a ratio needs column (above) and denominator (below); name both")
        if self.kind == "continuous" and not self.column:
            raise ValueError("a continuous metric needs a column; name one of the exposures")
        if self.denominator and self.kind != "ratio":
            raise ValueError(f"denominator belongs to a ratio, kind is {self.kind}; leave it out")
        if self.column and self.kind not in ("binary", "continuous", "ratio"):
            raise ValueError(f"kind {self.kind} is computed from outcome and prediction; leave column out")
        return self

    @property
    def better(self) -> Literal[1, -1]:
        """The sign of a difference that is an improvement."""
        decrease = self.direction == "decrease" if self.direction else self.kind in LOSSES
        return -1 if decrease else 1

    @property
    def needs_outcome(self) -> bool:
        """Whether a row counts only once its outcome is known."""
        return self.kind in ("roc_auc", "accuracy", "log_loss", "brier", "value") or (
            self.kind == "binary" and self.column in (None, "label")
        )

    @property
    def title(self) -> str:
        """The metric, for reading."""
        names = {"roc_auc": "ROC AUC", "brier": "Brier score", "log_loss": "log loss", "value": "realised value"}
        if self.kind == "ratio":
            return f"{self.column} / {self.denominator}"
        return self.column or names.get(self.kind, "outcome" if self.kind == "binary" else self.kind)


class GuardrailPolicy(MetricPolicy):
    """A metric that the new variant may not worsen by more than a margin.

    Attributes:
        margin: Largest worsening that is tolerated, in the metric's own unit.
    """

    margin: float = Field(ge=0, allow_inf_nan=False)


class GainsPolicy(Frozen):
    """What each kind of decision brings, in a unit of the user's own."""

    true_positive: float = 0.0
    false_positive: float = 0.0
    false_negative: float = 0.0
    true_negative: float = 0.0


class ExperimentPolicy(Frozen):
    """Two versions of a use case, compared on requests.

    Attributes:
        name: Its name; with ``salt`` it decides who meets which variant.
        hypothesis: What one expects, in words.
        mode: ``replay``: logged requests are scored again; ``shadow``: both versions score each request and the first
            answers; ``split``: each unit is answered by one version.
        feedback: ``decision_changes_outcome`` where an answer changes what happens next (an offer, a refusal).
        unit: Who meets a variant: the ``entity``, or each ``request`` by itself.
        salt: Deals the units anew.
        variants: Two, by name, the present state first; a variant is the version that its name says.
        metric: What decides.
        guardrails: What may not get worse, by name.
        gains: What decisions bring, for ``value``.
        covariate: A column of the exposures that was known before them; takes its part out of the metric (CUPED).
        slices: Columns by whose values the metric is shown apart; they decide nothing.
        correction: How p-values of slices are adjusted for their number.
        alpha: Two-sided error rate of all planned looks together.
        power: Chance of finding ``minimum_effect``.
        looks: Planned looks, evenly spread over the planned rows.
        bounds: How they share alpha.
        planned_rows: Units (paired: requests) with an outcome at which it ends; None: as many as the plan says.
        minimum_days: Days that must have passed before a variant is shipped.
        start: First moment, UTC; None: a split begins with the first answer of the second variant.
        end: Last moment, UTC; None: open.
    """

    name: str = Field(min_length=1)
    hypothesis: str = ""
    mode: Mode = "shadow"
    feedback: Literal["none", "decision_changes_outcome"] = "none"
    unit: Literal["entity", "request"] = "entity"
    salt: str = ""
    variants: dict[str, VariantPolicy] = Field(
        default_factory=lambda: {name: VariantPolicy(version=name) for name in ("champion", "challenger")}
    )
    metric: MetricPolicy = MetricPolicy()
    guardrails: dict[str, GuardrailPolicy] = Field(default_factory=dict)
    gains: GainsPolicy | None = None
    covariate: str | None = None
    slices: list[str] = Field(default_factory=list)
    correction: Method = "holm"
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    power: float = Field(default=0.8, gt=0.5, lt=1)
    looks: int = Field(default=5, ge=1, le=100)
    bounds: Kind = "lan_demets_obf"
    planned_rows: int | None = Field(default=None, ge=20)
    minimum_days: int = Field(default=7, ge=0, le=MOST_DAYS)
    start: dt.datetime | None = None
    end: dt.datetime | None = None

    @field_validator("variants", mode="before")
    @classmethod
    def _versions_are_named(cls, variants: Any) -> Any:
        if not isinstance(variants, dict):
            return variants
        given = {str(name): variant or {} for name, variant in variants.items()}
        return {n: {"version": n, **v} if isinstance(v, dict) else v for n, v in given.items()}

    @field_validator("start", "end")
    @classmethod
    def _moments_are_utc(cls, moment: dt.datetime | None) -> dt.datetime | None:
        if moment is None or moment.tzinfo is None:
            return moment
        return moment.astimezone(dt.UTC).replace(tzinfo=None)

    @model_validator(mode="after")
    def _two_variants(self) -> ExperimentPolicy:
        if len(self.variants) != 2:
            raise ValueError(
                f"variants are {', '.join(self.variants) or 'none'}: name two, the present state first; a third "
                "version is an experiment of its own"
            )
        if not any(variant.weight > 0 for variant in self.variants.values()):
            raise ValueError("no variant has a weight above 0: nobody could be assigned; give at least one a weight")
        if self.start and self.end and self.end <= self.start:
            raise ValueError(f"end {self.end} is not after start {self.start}; correct one of them")
        return self

    @model_validator(mode="after")
    def _the_mode_can_answer(self) -> ExperimentPolicy:
        if not self.paired:
            return self
        if self.feedback == "decision_changes_outcome":
            raise ValueError(
                f"mode is {self.mode}, and feedback decision_changes_outcome: the outcome of a request is the one that "
                "followed the answer which was given, and says nothing of what the other version's answer would have "
                "brought; use mode: split"
            )
        for name, metric in {"metric": self.metric, **self.guardrails}.items():
            of_the_row = metric.kind == "continuous" and metric.column not in OF_THE_VERSION
            if metric.kind in OF_THE_ROW or of_the_row:
                raise ValueError(
                    f"{name} is of kind {metric.kind}, which is the same whichever version scored a request, and mode "
                    f"is {self.mode}; compare roc_auc, accuracy, log_loss, brier, value or a column of the versions' "
                    f"own ({', '.join(OF_THE_VERSION)}), or use mode: split"
                )
        if self.covariate is not None:
            raise ValueError(f"a covariate is of use in a split, and mode is {self.mode}; leave it out")
        return self

    @model_validator(mode="after")
    def _values_have_gains(self) -> ExperimentPolicy:
        if self.gains is None and any(m.kind == "value" for m in (self.metric, *self.guardrails.values())):
            raise ValueError("kind value needs gains: say what a true_positive, false_positive, … brings")
        return self

    @property
    def paired(self) -> bool:
        """Whether both versions score the same requests."""
        return self.mode in PAIRED

    @property
    def control(self) -> str:
        """Name of the variant that is there already."""
        return next(iter(self.variants))

    @property
    def treatment(self) -> str:
        """Name of the variant that is new."""
        return list(self.variants)[1]

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each variant."""
        return {name: variant.weight for name, variant in self.variants.items()}


class TrafficPolicy(Frozen):
    """Synthetic requests that go the way of real ones, to see what a design finds.

    Attributes:
        days: Days of traffic.
        requests_per_day: Requests on each of them.
        effect: True difference of the metric; 0 is an A/A test.
        baseline: The metric of the first variant: a ROC AUC, share, or mean.
        positive_share: Share of positive outcomes, where the metric is one of a classifier.
        correlation: Of both versions' scores on the same request.
        seed: Random state.
    """

    days: int = Field(default=14, ge=1, le=3650)
    requests_per_day: int = Field(default=1000, ge=1)
    effect: float = 0.0
    baseline: float = 0.75
    positive_share: float = Field(default=0.3, gt=0, lt=1)
    correlation: float = Field(default=0.9, ge=0, lt=1)
    seed: int = 0


class ExperimentParameters(Frozen):
    """A use case's experiments.

    Attributes:
        active: Name of the one that runs; None: none does.
        defined: Experiments by name.
        max_pairs: Most requests that a replay scores again; the newest.
        simulation: The traffic of ``--params=simulate=true``.
    """

    active: str | None = None
    defined: dict[str, ExperimentPolicy] = Field(default_factory=dict)
    max_pairs: int = Field(default=1_000_000, ge=100)
    simulation: TrafficPolicy = TrafficPolicy()

    @field_validator("defined", mode="before")
    @classmethod
    def _names_are_keys(cls, defined: Any) -> Any:
        if not isinstance(defined, dict):
            return defined
        return {
            key: {"name": str(key), **block} if isinstance(block, dict) else block for key, block in defined.items()
        }

    @model_validator(mode="after")
    def _the_active_one_is_defined(self) -> ExperimentParameters:
        if self.active is not None and self.active not in self.defined:
            known = ", ".join(self.defined) or "none"
            raise ValueError(f"active is {self.active}, which is not defined; defined: {known}")
        return self

    @property
    def running(self) -> ExperimentPolicy | None:
        """The experiment that runs."""
        return None if self.active is None else self.defined[self.active]
