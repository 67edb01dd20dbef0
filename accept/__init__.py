"""Whether a deployed stack keeps what the README promises: a small dataset, from its upload to notice and report."""
