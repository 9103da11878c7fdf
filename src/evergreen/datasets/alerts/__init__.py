"""Where alerts go: the base of every channel, and those that exist."""
