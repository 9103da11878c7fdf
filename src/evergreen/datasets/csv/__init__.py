"""Text files of tables: how they are written, and how their columns are typed."""
