"""What counting words means."""


def count(text: str) -> int:
    return len(text.split())
