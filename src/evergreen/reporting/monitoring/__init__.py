"""The monitoring page, its wording, the alerts and Prometheus' metrics."""
