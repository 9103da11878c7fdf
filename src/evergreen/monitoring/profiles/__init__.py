"""The constant-size summary of a table: how it is built, stored and merged."""
