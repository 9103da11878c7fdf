"""What changed? Tests and effects by column, the drift report, the multivariate test."""
