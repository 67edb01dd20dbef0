"""The console: a page on loopback that speaks to a stack with its caller's credentials."""
