"""What to do about it: gate, trigger, row pool, contenders, records."""
