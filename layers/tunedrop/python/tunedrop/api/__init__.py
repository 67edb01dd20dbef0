"""The HTTP API for other teams: what it takes, whom it answers, and what it says when it refuses."""
