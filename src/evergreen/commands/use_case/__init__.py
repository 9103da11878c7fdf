"""``kedro use-case``: a table of one's own as a use case, and what one still lacks."""
