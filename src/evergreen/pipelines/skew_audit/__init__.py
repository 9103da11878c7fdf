"""Served features against those of the warehouse."""

from evergreen.pipelines.skew_audit.pipeline import create_pipeline

__all__ = ["create_pipeline"]
