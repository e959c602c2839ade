"""References to modules and names in docstrings and comments of a rendered service."""

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .template import files_of

MODULE = re.compile(r"(?<![\w/<*])[\w./]*\w+\.py\b")
NAME = re.compile(r"`([A-Za-z_][\w.]*)(?:\([^`]*\))?`")
CLASS = re.compile("[A-Z][a-z]")
BETWEEN = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENCODING}


class Module:
    """The docstrings and comments, the names, and the words in strings of a module."""

    def __init__(self, text: str) -> None:
        self.comments = list[tuple[int, str]]()
        self.names, self.words = set[str](), set[str]()
        begins = True
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT or (begins and token.type == tokenize.STRING):
                self.comments.append((token.start[0], token.string))
            elif token.type == tokenize.NAME:
                self.names.add(token.string)
            else:
                self.words.update(re.findall(r"\w+", token.string))
            begins = token.type in BETWEEN or (begins and token.type == tokenize.COMMENT)


def citations(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Modules and names in backquotes that docstrings and comments refer to exist.

    A module is referred to by the end of its path. A name must occur in code, in a path, or in a
    string (such as a command); a class name in a string counts only in the same module.
    """
    files = sorted(files_of(service))
    modules = {
        path: Module((service / path).read_text(encoding="utf-8"))
        for path in files
        if path.endswith(".py")
    }
    names = {part.partition(".")[0] for path in files for part in path.split("/")}
    names.update(*(module.names for module in modules.values()))
    words = names.union(*(module.words for module in modules.values()))
    for path, module in modules.items():
        classes = names | module.words
        for line, text in module.comments:
            for cited in MODULE.findall(text):
                if not any(f"/{file}".endswith(f"/{cited.lstrip('./')}") for file in files):
                    yield f"{path}:{line}: refers to {cited}, which does not exist"
            for cited in NAME.findall(MODULE.sub("", text)):
                known = classes if CLASS.match(cited) else words
                if not cited.isupper() and not known.issuperset(cited.strip(".").split(".")):
                    yield f"{path}:{line}: refers to {cited}, which does not exist"
