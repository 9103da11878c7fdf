"""History → which policy of retraining would have paid."""

from evergreen.pipelines.policy_backtest.pipeline import create_pipeline

__all__ = ["create_pipeline"]
