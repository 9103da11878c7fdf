"""Profiles, drift, performance and data quality: pure functions over tables and profiles."""

from evergreen.monitoring.build import build_profile
from evergreen.monitoring.drift import compare_profiles
from evergreen.monitoring.estimated import estimate_performance
from evergreen.monitoring.policy import DriftPolicy, DriftReport
from evergreen.monitoring.profile import Profile, merge

__all__ = [
    "DriftPolicy",
    "DriftReport",
    "Profile",
    "build_profile",
    "compare_profiles",
    "estimate_performance",
    "merge",
]
