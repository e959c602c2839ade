"""Replacement of texts that must exist, so that a test cannot edit nothing."""

from pathlib import Path


def edited(text: str, old: str, new: str) -> str:
    """Replace a text that occurs exactly once."""
    assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times"
    return text.replace(old, new)


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that occurs exactly once in a file."""
    path.write_text(edited(path.read_text(encoding="utf-8"), old, new), encoding="utf-8")
