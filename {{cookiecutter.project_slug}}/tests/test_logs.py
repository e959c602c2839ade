"""Every line on stdout is one JSON object, whoever speaks and whatever is said."""

import json
import subprocess
import sys
from typing import Any

import pytest

from .service import path_only

PREAMBLE = """
import logging, threading, warnings
from {{ cookiecutter.package_name }} import logs
logs.configure()
"""


def lines_of(code: str) -> list[dict[str, Any]]:
    """Run `code` in a process of its own and return what it logs, which is all that it says."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code],
        env=path_only(),
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.stderr == b""
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


@pytest.mark.parametrize(
    "code",
    [
        "logs.log.info('a')",
        "logging.getLogger('library').warning('%s', 'a')",
        "warnings.warn('a')",
        "raise RuntimeError('a')",
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
    ],
)
def test_whoever_speaks_the_line_has_the_same_shape(code: str) -> None:
    (line,) = lines_of(code)
    assert list(line)[:3] == ["ts", "level", "event"]
    assert line["ts"].endswith("Z")
    assert line.keys() >= {"service", "revision"}


@pytest.mark.parametrize(
    "text",
    ["a\r\nb", "\x1b[31m", '"}{"', "\x00", "a\u2028b\x85c", "\ud800", "Grüße ☕", "x" * 99_999],
    ids=ascii,
)
def test_whatever_is_said_stays_inside_one_line(text: str) -> None:
    code = f"text = {text!a}; logs.log.info('a', text=text, nested=[text])"
    (line,) = lines_of(code)
    assert line["text"][:4096] == text[:4096]
    assert len(line["text"]) < 5000


def test_a_traceback_is_a_field_of_its_line() -> None:
    (line,) = lines_of("logs.log.error('a', exc_info=ValueError('b\\nc'))")
    assert line["event"] == "a"
    assert "ValueError: b\nc" in line["exception"]


def test_what_is_no_json_is_written_as_text() -> None:
    (line,) = lines_of("logs.log.info('a', value={1, 2}, key={(1, 2): 3})")
    assert line["event"] == "a"
