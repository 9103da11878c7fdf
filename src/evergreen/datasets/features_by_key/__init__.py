"""Every key's features on the days to come: a file that all workers of a service share through their page cache."""
