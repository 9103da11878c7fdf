"""Profiles, drift, performance and data quality: pure functions over tables and profiles."""

from evergreen.monitoring.drift.compare import compare_profiles
from evergreen.monitoring.drift.report import DriftReport
from evergreen.monitoring.estimated import estimate_performance
from evergreen.monitoring.parameters import DriftPolicy
from evergreen.monitoring.profiles.build import build_profile
from evergreen.monitoring.profiles.profile import Profile, merge

__all__ = [
    "DriftPolicy",
    "DriftReport",
    "Profile",
    "build_profile",
    "compare_profiles",
    "estimate_performance",
    "merge",
]
