"""From the answers of two models to a verdict: what is sampled, what it amounts to, and whether it is trustworthy."""
