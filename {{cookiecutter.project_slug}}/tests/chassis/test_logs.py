"""Every line on stdout is one JSON object, whoever speaks and whatever is said."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

import msgspec
import pytest

from ..support.service import path_only

LONGEST = 16 * 1024
type Told = dict[str, list[dict[str, Any]]]
"""Pieces of code, and the lines that each logs."""
PREAMBLE = """
import logging, threading, warnings
from {{ cookiecutter.package_name }}.chassis.observability import logs
logs.configure()
"""


def lines_of(code: str, given: str = "") -> list[dict[str, Any]]:
    """Run `code` in a process of its own and return what it logs, which is all that it says."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + code],
        input=given.encode(),
        env=path_only(),
        capture_output=True,
        timeout=20,
        check=False,
    )
    assert done.stderr == b""
    lines = done.stdout.decode("ascii").splitlines(keepends=True)
    assert all(line.endswith("\n") and len(line) <= LONGEST for line in lines)
    return [msgspec.json.decode(line) for line in lines]


VALUES = [
    "{1, 2}",
    "{(1, 2): 3}",
    "object()",
    "float('nan')",
    "[float('inf'), 'é']",
    "10 ** 5000",
    "functools.reduce(lambda inner, _: [inner], range(99_999), 0)",
    "type('A', (), {'__str__': lambda self: 1 / 0})()",
    "b'\\xff'",
    "{'\\ud800': 1}",
]
LOG_VALUE = "import functools; logs.log.info('a', value={}, status=200)"
LONG_FIELDS = "logs.log.info('a', b=1, c=list(range(9999)), d='d' * 99, e='e' * 3000)"
MANY_FIELDS = "logs.log.info('a', **{str(n) * 50: n for n in range(1000)})"
TRACEBACK = "logs.log.error('a', exc_info=ValueError('b\\nc'))"
LONG_TRACEBACK = "logs.log.error('a', exc_info=ValueError('x' * 99_999 + 'the end'))"
SPEAKERS = [
    "logs.log.info('a')",
    "logging.getLogger('library').warning('%s', 'a')",
    "warnings.warn('a')",
    "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
    "logging.getLogger('library').log(35, 'a')",
    "logging.getLogger('library').error('%d', 'a')",
    "import asyncio; asyncio.new_event_loop().call_exception_handler({'message': 'a'})",
    "type('A', (), {'__del__': lambda self: 1 / 0})()",
    "raise RuntimeError('a')",  # The last one, since it ends the process.
]


@pytest.fixture(scope="module")
def told() -> Told:
    """Return what each piece of code logs; one process runs all of them."""
    logged = map(LOG_VALUE.format, VALUES)
    codes = [*logged, LONG_FIELDS, MANY_FIELDS, TRACEBACK, LONG_TRACEBACK, *SPEAKERS]
    told: Told = {code: [] for code in codes}
    speaker = iter(codes)
    for line in lines_of("".join(f"logs.log.info('next')\n{code}\n" for code in codes)):
        if line["event"] == "next":
            lines = told[next(speaker)]
        else:
            lines.append(line)
    return told


@pytest.mark.parametrize("code", SPEAKERS)
def test_whoever_speaks_the_line_has_the_same_shape(told: Told, code: str) -> None:
    (line,) = told[code]
    assert list(line)[:3] == ["ts", "level", "event"]
    assert line["ts"].endswith("Z")
    assert line.keys() >= {"service", "revision"}


TEXTS = [
    "a\r\nb",
    "a\rb",
    "\n\n",
    "\x1b[31m",
    "\x1b]0;title\x07",
    "\x00",
    "a\u2028b\u2029c\x85d",
    "\v\f\x1c\x1d\x1e",
    "\b\x7f",
    '"}{"',
    '","level":"critical","a":"',
    '"}\n{"event":"forged"}',
    '\\"}\n{"event":"forged"}',
    "\\",
    "\\u000a",
    "'",
    "{}",
    "%s %n %(event)s {event} ${jndi:ldap://a}",
    "<script>",
    "\ud800",
    "\udfff\ud800",
    "\ufeff",
    "\u202eabc",
    "Grüße ☕",
    "🚀" * 5000,
    "\x00" * 5000,
    '"' * 9999,
    "x" * 5000,
    "x" * 1_000_000,
    "\n" * 1_000_000,
]
"""What somebody may send who wants to be heard in the log."""


SAY = """
import sys
for text in eval(sys.stdin.read()):
    logs.log.info('a', text=text)
    logs.log.info('a', nested=[text], again=dict(b=text))
    logs.log.info(text)
    logs.log.info('a', **dict.fromkeys('bcdefgh', text))
    logging.getLogger('library').error(text)
    logs.log.error('a', exc_info=ValueError(text))
"""


@pytest.fixture(scope="module")
def said() -> Iterator[dict[str, Any]]:
    """Return the next lines, those of the next text."""
    return iter(lines_of(SAY, ascii(TEXTS)))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_whatever_is_said_stays_inside_one_line(said: Iterator[dict[str, Any]], text: str) -> None:
    plain, nested, event, many, library, failed = islice(said, 6)
    sent = text.encode(errors="replace").decode()
    assert plain["text"][:1000] == sent[:1000]
    for line in (plain, nested, event, many, library, failed):
        assert list(line)[:3] == ["ts", "level", "event"]
        assert list(line)[-2:] == ["service", "revision"]
        assert line["level"] in {"info", "error"}
    ours = {"ts", "level", "event", "service", "revision"}
    assert [line.keys() - ours for line in (plain, nested, event, many, library, failed)] == [
        {"text"},
        {"nested", "again"},
        set(),
        set("bcdefgh"),
        {"logger"},
        {"exception"},
    ]
    if len(text) >= 5000:
        assert plain["text"].endswith(f"(cut from {len(text)} characters)")
        assert many["b"].endswith(f"(cut from {len(text)} characters)")


def test_of_many_fields_the_long_ones_are_cut(told: Told) -> None:
    (line,) = told[LONG_FIELDS]
    assert (line["b"], line["d"], line["e"]) == (1, "d" * 99, "e" * 3000)
    assert line["c"].startswith("[0,1,2,")
    assert "cut from" in line["c"]


def test_more_fields_than_a_line_holds_make_a_line_all_the_same(
    told: Told,
) -> None:
    (line,) = told[MANY_FIELDS]
    assert line["event"] == "a"


def test_the_end_of_a_long_traceback_is_kept(told: Told) -> None:
    (line,) = told[LONG_TRACEBACK]
    assert "the end" in line["exception"]


def test_a_traceback_is_a_field_of_its_line(told: Told) -> None:
    (line,) = told[TRACEBACK]
    assert line["event"] == "a"
    assert "ValueError: b\nc" in line["exception"]


@pytest.mark.parametrize("value", VALUES)
def test_what_is_no_json_is_written_as_text(told: Told, value: str) -> None:
    (line,) = told[LOG_VALUE.format(value)]
    assert line["event"] == "a"
    assert "value" in line
    assert line["status"] == 200
