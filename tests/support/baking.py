"""Renders the template, strictly: an unknown answer is refused, a hook that fails is heard."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pytest_cookies.plugin import Cookies

from tools.pythons import newest_python

from .template import QUESTIONS


class BakeError(Exception):
    """The template was not rendered; the message is what its hook said."""


class Baker:
    """Renders into fresh folders, for the newest Python at hand unless told otherwise."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def bake(self, template: Path | None = None, **answers: Any) -> Path:
        """Render with these answers and the default for others; return the new folder.

        Raises `ValueError` for an answer to no question, which Cookiecutter would ignore in
        silence, and `BakeError` with the words of the hook if that refuses.
        """
        if unknown := answers.keys() - QUESTIONS.keys():
            raise ValueError(f"unknown questions: {', '.join(sorted(unknown))}")
        context = {"python_version": newest_python()} | answers
        with standard_error() as said:
            result = self._cookies.bake(extra_context=context, template=template and str(template))
            said.seek(0)
            words = said.read().decode()
        if result.exception:
            raise BakeError(words or repr(result.exception)) from result.exception
        folder: Path = result.project_path
        return folder


@contextmanager
def standard_error() -> Iterator[BinaryIO]:
    """Collect what this process and its children write to standard error meanwhile."""
    kept = os.dup(2)
    with tempfile.TemporaryFile() as collected:
        os.dup2(collected.fileno(), 2)
        try:
            yield collected
        finally:
            os.dup2(kept, 2)
            os.close(kept)
