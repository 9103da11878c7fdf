"""How good is it? Metrics, AUC, comparison, slices, behaviour, explanation, the promotion decision."""
