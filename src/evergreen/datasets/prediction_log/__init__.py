"""What the service answered: segments that its workers write, and the table that they become."""
