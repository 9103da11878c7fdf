"""The ``retraining`` block of a use case's parameters."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from evergreen.monitoring.reasons import ReasonName
from evergreen.records import Frozen
from evergreen.schema import MOST_DAYS

Choice = Literal["all", "recency_weighted", "weeks_26", "weeks_16", "weeks_8", "recent", "newest"]
Rule = Literal[ReasonName, "follow_up"]


class ForwardPolicy(Frozen):
    """How a dated use case's recipes are judged forward.

    Attributes:
        weekly_days: Newest days that are judged week by week; a model of each four weeks judges those before them.
        choose_days: Days before a cut-off on which the choices of rows compete.
        fit_rows: Most rows that a judging model is fitted on, drawn at random beyond.
    """

    weekly_days: int = Field(default=56, ge=7, le=MOST_DAYS)
    choose_days: int = Field(default=28, ge=7, le=MOST_DAYS)
    fit_rows: int = Field(default=50_000, ge=100)


class CandidatePolicy(Frozen):
    """What competes to be the challenger.

    Attributes:
        candidates: Choices of rows; within .005 of the best AUC the first one wins, so name wider ones first.
            ``weeks_26``, ``weeks_16``, ``weeks_8``: so many weeks, where rows have dates; ``recent``: the recent
            window; ``newest``: its newer half, left out where recent rows are of one day.
        half_life_days: Age at which a row weighs half in ``recency_weighted``.
        recipe: ``champion`` trains the champion's algorithm with its parameters; ``search`` searches anew.
        max_age_days: Days for which one challenger may stand under judgement where rows have dates; then another one
            takes its place, which is searched anew and judged on the window before that and on newer days.
        forward: How recipes are judged forward, where rows have dates.
    """

    candidates: tuple[Choice, ...] = Field(
        default=("all", "recency_weighted", "weeks_26", "weeks_16", "weeks_8", "recent", "newest"), min_length=1
    )
    half_life_days: float = Field(default=90.0, gt=0)
    recipe: Literal["champion", "search"] = "champion"
    max_age_days: int = Field(default=364, ge=28, le=MOST_DAYS)
    forward: ForwardPolicy = ForwardPolicy()


class GatePolicy(Frozen):
    """What rows must be like before anything is learnt from them.

    Attributes:
        min_rows: Fewest rows, below which the run stops. None: at most 1,000, and no more than a share of what windows
            of this length usually hold; below, too little is there to learn from, which is an outcome.
        min_share_of_usual: That share, of rows and of days.
        max_missing_share: Largest share of missing feature values, unless the champion's reference had more.
        max_duplicate_share: Largest share of rows that repeat another row's entity.
        min_days: Fewest days with rows, likewise; None: at most 5. Not asked for where rows have no dates.
    """

    min_rows: int | None = Field(default=None, ge=1)
    min_share_of_usual: float = Field(default=0.25, gt=0, le=1)
    max_missing_share: float = Field(default=0.1, ge=0, le=1)
    max_duplicate_share: float = Field(default=0.01, ge=0, le=1)
    min_days: int | None = Field(default=None, ge=1, le=MOST_DAYS)


class TriggerPolicy(Frozen):
    """What starts a retraining; from where on a finding is a reason stands under ``monitoring.reasons``.

    Attributes:
        rules: Rules that may start one; the others are ignored.
        follow_up_days: Days after the training of a champion that a retraining made, during which new rows alone are
            a reason (rule ``follow_up``): it learnt from a window in which the old world may still stand.
        cool_down_days: Days after a retraining during which none starts.
        min_new_labelled_rows: Fewest labelled rows that are newer than what the champion was trained on.
        growth: After a retraining that found nothing to gain, the next one waits for ``min_new_labelled_rows`` more,
            after each further one for so many times as many, unless an effect has grown. 1: always as many.
        larger_effect: Growth of a rule's effect since then that ends the waiting. Where the rule is ``performance``,
            counting begins anew: what was vain before was about a smaller loss.
    """

    rules: tuple[Rule, ...] = ("performance", "estimate", "drift", "breadth", "age", "follow_up")
    follow_up_days: int = Field(default=42, ge=0, le=MOST_DAYS)
    cool_down_days: int = Field(default=7, ge=0, le=MOST_DAYS)
    min_new_labelled_rows: int = Field(default=1000, ge=0)
    growth: float = Field(default=2.0, ge=1)
    larger_effect: float = Field(default=1.25, gt=1)

    @model_validator(mode="before")
    @classmethod
    def _limit_of_breadth(cls, data: Any) -> Any:
        if isinstance(data, dict) and "max_drifted_share" in data:
            raise ValueError("max_drifted_share is now monitoring.reasons.max_drifted_share, set it there")
        return data


class RefreshPolicy(Frozen):
    """When the champion's recipe on newer rows replaces it without a proven gain, where rows have dates.

    Attributes:
        every_days: Days after a champion's training, or after a refresh or retraining that found nothing to gain,
            ``trigger.growth`` times as many after each further one; 0 switches it off.
        judged_days: Newest judged days that it is decided on.
        min_standard_errors: How far ahead of the champion the recipe must be on them, in standard errors.
    """

    every_days: int = Field(default=28, ge=0, le=MOST_DAYS)
    judged_days: int = Field(default=56, ge=14, le=MOST_DAYS)
    min_standard_errors: float = Field(default=1.0, ge=0)


class BacktestPolicy(Frozen):
    """How ``policy_backtest`` replays a history.

    Attributes:
        window_days: Length of a window.
        max_windows: Most windows, the newest ones.
        first_days: Days that the first model learns from at least.
        cell_rows: Most rows that a model learns from, and that it is scored on in a window.
        retraining_cost: What a retraining costs, in AUC lost over one window.
    """

    window_days: int = Field(default=7, ge=1, le=MOST_DAYS)
    max_windows: int = Field(default=52, ge=2)
    first_days: int = Field(default=56, ge=1, le=MOST_DAYS)
    cell_rows: int = Field(default=20_000, ge=100)
    retraining_cost: float = Field(default=0.01, ge=0)


class RetrainingParameters(Frozen):
    """When a challenger is trained, from what, and what it must do beside scoring well.

    Attributes:
        window_days: Length of the recent window that passes the gate, chooses the challenger and judges it; without
            dates it is the newest snapshot.
        explained_rows: Judging rows that the challenger's SHAP values are computed on.
        gate: What recent rows must be like.
        trigger: What starts a retraining.
        challenger: What competes to be the challenger.
        refresh: When newer rows alone are enough.
        backtest: How the pipeline ``policy_backtest`` replays the history.
    """

    window_days: int = Field(default=28, ge=1, le=MOST_DAYS)
    explained_rows: int = Field(default=200, ge=10)
    gate: GatePolicy = GatePolicy()
    trigger: TriggerPolicy = TriggerPolicy()
    challenger: CandidatePolicy = CandidatePolicy()
    refresh: RefreshPolicy = RefreshPolicy()
    backtest: BacktestPolicy = BacktestPolicy()

    @model_validator(mode="before")
    @classmethod
    def _behaviour_moved(cls, values: Any) -> Any:
        if isinstance(values, dict) and "behaviour" in values:
            raise ValueError(
                "behaviour rules every judgement now: move retraining.behaviour to evaluation.behaviour as it is"
            )
        return values
