"""The `tunedrop` command."""
