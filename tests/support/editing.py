"""Edits of texts that fail if there is nothing to edit."""


def edited(text: str, old: str, new: str) -> str:
    """Replace what stands once in a text."""
    assert text.count(old) == 1, f"{old!r} is there {text.count(old)} times"
    return text.replace(old, new)
