"""The far side of the code grader: a process of its own, where tests meet generated code. Standard library only."""
