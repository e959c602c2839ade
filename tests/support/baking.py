"""Renders the template; unknown questions and failed hooks are errors."""

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
    """Rendering failed; the message is that of the hook."""


class Baker:
    """Renders into new folders, by default for the newest installed Python."""

    def __init__(self, cookies: Cookies) -> None:
        self._cookies = cookies

    def bake(self, template: Path | None = None, **answers: Any) -> Path:
        """Render with these answers and defaults; return the folder of the service.

        Raises `ValueError` for unknown questions, which Cookiecutter would silently ignore, and
        `BakeError` if rendering fails.
        """
        if unknown := answers.keys() - QUESTIONS.keys():
            raise ValueError(f"unknown questions: {', '.join(sorted(unknown))}")
        context = {"python_version": newest_python()} | answers
        with standard_error() as collected:
            result = self._cookies.bake(extra_context=context, template=template and str(template))
            collected.seek(0)
            messages = collected.read().decode()
        if result.exception:
            raise BakeError(messages or repr(result.exception)) from result.exception
        folder: Path = result.project_path
        return folder


@contextmanager
def standard_error() -> Iterator[BinaryIO]:
    """Collect the standard error of this process and its child processes."""
    original = os.dup(2)
    with tempfile.TemporaryFile() as collected:
        os.dup2(collected.fileno(), 2)
        try:
            yield collected
        finally:
            os.dup2(original, 2)
            os.close(original)
