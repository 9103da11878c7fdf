"""What an experiment says, for people."""
