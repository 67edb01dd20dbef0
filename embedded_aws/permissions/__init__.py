"""Who may do what on the embedded AWS: policies, what a call needs, and the decision, as IAM makes it."""
