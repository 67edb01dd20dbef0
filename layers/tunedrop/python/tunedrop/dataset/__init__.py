"""Datasets: checked line by line before anything is paid for, split, converted and described."""
