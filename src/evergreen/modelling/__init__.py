"""Labels, splits, estimators, search, metrics, comparison and the promotion decision: pure functions."""
