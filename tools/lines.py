"""Counts lines of code: what is neither blank nor a comment nor a docstring."""

import io
import tokenize
from pathlib import Path

BESIDE = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER}
BETWEEN = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}


def code_lines(text: str) -> int:
    """Return how many lines of a module hold code; a statement that is a string is none."""
    lines = set[int]()
    begins = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in BESIDE:
            continue
        if token.type in BETWEEN:
            begins = True
        elif not (begins and token.type == tokenize.STRING):
            lines.update(range(token.start[0], token.end[0] + 1))
            begins = False
    return len(lines)


def code_lines_below(folder: Path) -> int:
    """Return how many lines of code all modules below `folder` hold."""
    return sum(code_lines(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py"))
