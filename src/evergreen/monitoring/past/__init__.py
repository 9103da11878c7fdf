"""Windows that have passed: their counts, what replaying them says of dependence, and which seasons they show."""
