"""One paid job a run: submitted once, watched to its end, released when the run ends before it."""
