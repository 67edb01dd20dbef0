"""The grader's trial on the base model, before a job is paid for."""
