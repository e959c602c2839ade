"""Modules and names that docstrings and comments of a rendered service cite."""

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
    """Docstrings and comments of a module, by line, names in its code, and words of its strings."""

    def __init__(self, text: str) -> None:
        self.told = list[tuple[int, str]]()
        self.names, self.words = set[str](), set[str]()
        begins = True
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT or (begins and token.type == tokenize.STRING):
                self.told.append((token.start[0], token.string))
            elif token.type == tokenize.NAME:
                self.names.add(token.string)
            else:
                self.words.update(re.findall(r"\w+", token.string))
            begins = token.type in BETWEEN or (begins and token.type == tokenize.COMMENT)


def citations(service: Path, _: dict[str, Any]) -> Iterator[str]:
    """Modules that docstrings and comments cite exist, and so do names in backquotes.

    A module is cited by the end of its path. A name stands in code, in the path of a file, or in a
    string, such as a command: for one that is written like a class, in a string of the same module.
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
        for line, text in module.told:
            for cited in MODULE.findall(text):
                if not any(f"/{file}".endswith(f"/{cited.lstrip('./')}") for file in files):
                    yield f"{path}:{line}: cites {cited}, which does not exist"
            for cited in NAME.findall(MODULE.sub("", text)):
                known = classes if CLASS.match(cited) else words
                if not cited.isupper() and not known.issuperset(cited.strip(".").split(".")):
                    yield f"{path}:{line}: cites {cited}, which does not exist"
