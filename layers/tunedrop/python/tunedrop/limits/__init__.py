"""What an operator lets runs and teams use up, and no recipe can pass."""
