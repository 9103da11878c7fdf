"""The REST service: a loader proves a version, workers answer with it, a supervisor keeps both."""
