"""Champion and challenger in MLflow: the only room that moves aliases."""

from evergreen.evaluation.promotion import decide_promotion
from evergreen.registry.aliases import clear_challenger, move_champion, set_challenger
from evergreen.registry.attempts import (
    kept_judgement,
    last_retraining,
    note_nothing_gained,
    note_refresh,
    note_retraining,
    nothing_gained,
    refreshes_in_vain,
    take_look,
)
from evergreen.registry.audit_log import (
    AliasChange,
    audit,
    audit_table,
    champion_at,
    former_champion,
    history,
    moves,
    note,
)
from evergreen.registry.by_hand import promote, reject, require_reason, rollback
from evergreen.registry.challenger import (
    TrainingPlan,
    leaderboard_models,
    learnt_rows,
    plan_training,
    recipe,
    register_challenger,
    reuse_version,
)
from evergreen.registry.check import CheckedVersion, check_version, write_check_rows
from evergreen.registry.compare import VersionFacts, compare_versions, version_facts
from evergreen.registry.descriptions import describe
from evergreen.registry.exact import exact_probabilities, plain_form
from evergreen.registry.forward import (
    ForwardEvidence,
    forward_evidence,
    is_judged_forward,
    judged_scores,
    known_replay,
    scored_test_days,
)
from evergreen.registry.judgement import judge_challenger, judge_first, judge_refresh, judging_rows
from evergreen.registry.lineage import carried, edit_of, lacking, require_columns, same_lineage, trained_spec
from evergreen.registry.manifest import Manifest
from evergreen.registry.parameters import RetentionParameters
from evergreen.registry.prune import Removal, prune_copies, prune_predictions, prune_versions
from evergreen.registry.publish import (
    Evaluated,
    publish_evaluation,
    publish_experiment,
    publish_monitoring,
    publish_record,
)
from evergreen.registry.references import reference, reference_scores
from evergreen.registry.repair import Mended, repair
from evergreen.registry.requests import experiment_rows, judge_experiment, unseen_requests
from evergreen.registry.runs import runs
from evergreen.registry.served_columns import require_made, warn_of_lost_columns
from evergreen.registry.serving import published_figures, serving_record
from evergreen.registry.settle import Contest, note_look, outcome_of, settle
from evergreen.registry.standing import standing
from evergreen.registry.tracking import LoggedCandidate, log_candidate
from evergreen.registry.vacancy import explain_vacancy
from evergreen.registry.versions import (
    CHALLENGER,
    CHAMPION,
    UNDECIDED,
    ModelVersion,
    VersionSummary,
    add_figures,
    aliases_of,
    find_by_fingerprint,
    find_by_recipe,
    list_versions,
    load,
    register,
    status_of,
    tag_version,
)

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "UNDECIDED",
    "AliasChange",
    "CheckedVersion",
    "Contest",
    "Evaluated",
    "ForwardEvidence",
    "LoggedCandidate",
    "Manifest",
    "Mended",
    "ModelVersion",
    "Removal",
    "RetentionParameters",
    "TrainingPlan",
    "VersionFacts",
    "VersionSummary",
    "add_figures",
    "aliases_of",
    "audit",
    "audit_table",
    "carried",
    "champion_at",
    "check_version",
    "clear_challenger",
    "compare_versions",
    "decide_promotion",
    "describe",
    "edit_of",
    "exact_probabilities",
    "experiment_rows",
    "explain_vacancy",
    "find_by_fingerprint",
    "find_by_recipe",
    "former_champion",
    "forward_evidence",
    "history",
    "is_judged_forward",
    "judge_challenger",
    "judge_experiment",
    "judge_first",
    "judge_refresh",
    "judged_scores",
    "judging_rows",
    "kept_judgement",
    "known_replay",
    "lacking",
    "last_retraining",
    "leaderboard_models",
    "learnt_rows",
    "list_versions",
    "load",
    "log_candidate",
    "move_champion",
    "moves",
    "note",
    "note_look",
    "note_nothing_gained",
    "note_refresh",
    "note_retraining",
    "nothing_gained",
    "outcome_of",
    "plain_form",
    "plan_training",
    "promote",
    "prune_copies",
    "prune_predictions",
    "prune_versions",
    "publish_evaluation",
    "publish_experiment",
    "publish_monitoring",
    "publish_record",
    "published_figures",
    "recipe",
    "reference",
    "reference_scores",
    "refreshes_in_vain",
    "register",
    "register_challenger",
    "reject",
    "repair",
    "require_columns",
    "require_made",
    "require_reason",
    "reuse_version",
    "rollback",
    "runs",
    "same_lineage",
    "scored_test_days",
    "serving_record",
    "set_challenger",
    "settle",
    "standing",
    "status_of",
    "tag_version",
    "take_look",
    "trained_spec",
    "unseen_requests",
    "version_facts",
    "warn_of_lost_columns",
    "write_check_rows",
]
