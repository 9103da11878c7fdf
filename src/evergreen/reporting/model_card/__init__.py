"""The model card: what it says, the evidence, the drawings."""
