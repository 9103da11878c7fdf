"""Which policy of retraining would have paid on a use case's own history? Cells, policies, bound, record."""
