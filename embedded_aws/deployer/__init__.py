"""Brings a SAM template onto the embedded AWS."""
