"""The dashboard: what is known of a use case on one page, from its records alone."""
