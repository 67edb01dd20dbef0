"""Asking models: many questions at once, each answered, refused or given up, none lost."""
