"""Log lines: JSON from every source, one line per record, bounded length, masked secrets."""

import subprocess
import sys
from typing import Any

import msgspec
import pytest

from ..support.service import path_only

LONGEST = 16 * 1024
type Line = dict[str, Any]
PREAMBLE = """
import logging, threading, warnings
from {{ cookiecutter.package_name }}.chassis.observability import logs
logs.configure()
"""
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
SOURCES = [
    "logs.log.info('a')",
    "logging.getLogger('library').warning('%s', 'a')",
    "warnings.warn('a')",
    "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()",
    "logging.getLogger('library').log(35, 'a')",
    "logging.getLogger('library').error('%d', 'a')",
    "import asyncio; asyncio.new_event_loop().call_exception_handler({'message': 'a'})",
    "type('A', (), {'__del__': lambda self: 1 / 0})()",
    "raise RuntimeError('a')",  # The last one, because it ends the process.
]
TEXTS = ["a\r\nb", "a\rb", "\x1b]0;title\x07", "\x00", "a\u2028b\u2029c\x85d", "\v\f\x1c\x1d\x1e"]
TEXTS += ["\b\x7f", '","level":"critical","a":"', '\\"}\n{"event":"forged"}', "\\", "\\u000a"]
TEXTS += ["%s %n %(event)s {event} ${jndi:ldap://a}", "\udfff\ud800", "\ufeff", "\u202eabc", "é ☕"]
TEXTS += ["🚀" * 5000, "\x00" * 5000, '"' * 9999, "x" * 1_000_000, "\n" * 1_000_000]
LOG_TEXTS = """
import sys
for text in eval(sys.stdin.read()):
    logs.log.info('a', text=text)
    logs.log.info('a', nested=[text], again=dict(b=text))
    logs.log.info(text)
    logs.log.info('a', **dict.fromkeys('bcdefgh', text))
    logging.getLogger('library').error(text)
    logs.log.error('a', exc_info=ValueError(text))
"""
LOG_SECRETS = r"""
from pydantic import SecretStr
from {{ cookiecutter.package_name }}.settings import Settings

class WithSecrets(Settings):
    token: SecretStr
    url: SecretStr
    short: SecretStr

logs.configure(WithSecrets.model_construct(
    log_format='FORMAT',
    token=SecretStr('"hunter2"-é'),
    url=SecretStr('scheme://user:hunter2%2Dhunter2@one,two:1/name?sslpassword=hunter2-again'),
    short=SecretStr('1'),
))
logs.log.info('token "hunter2"-é', short=1)
logs.log.info('a', nested=[dict(key='hunter2%2Dhunter2'), {'hunter2-hunter2': 'hunter2-again'}])
logging.getLogger('library').error('%s', 'scheme://user:hunter2%2Dhunter2@one,two:1/name')
logs.log.error('a', exc_info=ValueError('in token "hunter2"-é'))
logs.log.info('x' * 4090 + 'hunter2-again' + 'x' * 99)
"""


def output_of(code: str, given: str = "") -> bytes:
    """Run `code` in a separate process and return its output."""
    command, env = [sys.executable, "-c", PREAMBLE + code], path_only()
    done = subprocess.run(command, input=given.encode(), env=env, capture_output=True, check=False)
    assert done.stderr == b""
    return done.stdout


def lines_of(code: str, given: str = "") -> list[Line]:
    """Return the log lines of `code`."""
    lines = output_of(code, given).decode("ascii").splitlines(keepends=True)
    assert all(line.endswith("\n") and len(line) <= LONGEST for line in lines)
    return [msgspec.json.decode(line) for line in lines]


@pytest.fixture(scope="module")
def logged() -> dict[str, Line]:
    """Return the log line of each piece of code; one process runs all of them."""
    values = map(LOG_VALUE.format, VALUES)
    codes = [*values, LONG_FIELDS, MANY_FIELDS, TRACEBACK, LONG_TRACEBACK, *SOURCES]
    return dict(zip(codes, lines_of("\n".join(codes)), strict=True))


@pytest.mark.parametrize("code", SOURCES)
def test_lines_of_every_source_have_the_same_shape(logged: dict[str, Line], code: str) -> None:
    line = logged[code]
    assert list(line)[:3] == ["ts", "level", "event"]
    assert line["ts"].endswith("Z")
    assert line.keys() >= {"service", "revision"}


@pytest.fixture(scope="module")
def logged_texts() -> dict[str, list[Line]]:
    """Return the six log lines of each text."""
    lines = iter(lines_of(LOG_TEXTS, ascii(TEXTS)))
    return {text: [next(lines) for _ in range(6)] for text in TEXTS}


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:20]))
def test_any_text_stays_inside_one_line(logged_texts: dict[str, list[Line]], text: str) -> None:
    plain, _, _, many, *_ = lines = logged_texts[text]
    sent = text.encode(errors="replace").decode()
    assert plain["text"][:1000] == sent[:1000]
    for line in lines:
        assert list(line)[:3] == ["ts", "level", "event"]
        assert list(line)[-2:] == ["service", "revision"]
        assert line["level"] in {"info", "error"}
    always = {"ts", "level", "event", "service", "revision"}
    names = [{"text"}, {"nested", "again"}, set(), set("bcdefgh"), {"logger"}, {"exception"}]
    assert [line.keys() - always for line in lines] == names
    if len(text) >= 5000:
        assert plain["text"].endswith(f"(cut from {len(text)} characters)")
        assert many["b"].endswith(f"(cut from {len(text)} characters)")


def test_long_lines_are_shortened(logged: dict[str, Line]) -> None:
    line = logged[LONG_FIELDS]
    assert (line["b"], line["d"], line["e"]) == (1, "d" * 99, "e" * 3000)
    assert line["c"].startswith("[0,1,2,")
    assert "cut from" in line["c"]
    assert logged[MANY_FIELDS]["event"] == "a"
    assert "the end" in logged[LONG_TRACEBACK]["exception"]
    assert "ValueError: b\nc" in logged[TRACEBACK]["exception"]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_without_a_json_form_is_written_as_text(
    logged: dict[str, Line], value: str
) -> None:
    line = logged[LOG_VALUE.format(value)]
    assert line["event"] == "a"
    assert "value" in line
    assert line["status"] == 200


def test_secrets_are_masked() -> None:
    lines = lines_of(LOG_SECRETS.replace("FORMAT", "json"))
    assert len(lines) == 5
    assert "hunter2" not in str(lines)
    assert (lines[0]["event"], lines[0]["short"]) == ("token **********", 1)
    assert lines[2]["event"] == "scheme://user:**********@one,two:1/name"


def test_secrets_are_masked_in_the_console_format() -> None:
    output = output_of(LOG_SECRETS.replace("FORMAT", "console"))
    assert b"token **********" in output
    assert b"hunter2" not in output
