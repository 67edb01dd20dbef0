"""Lambda functions in real processes: AWS's own runtime client against a Runtime API of ours."""
