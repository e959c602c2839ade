"""Secrets are in the environment and nowhere else, whatever breaks and whoever asks."""

import re
import subprocess
from urllib.parse import urlsplit

from {{ cookiecutter.package_name }}.chassis.config.loader import secret_fields
from {{ cookiecutter.package_name }}.settings import Settings

from ..support.service import COMMAND, Service, fetch, path_only, run
from .test_logs import lines_of

CANARY = "hunter2-canary"
CONFIGURE = """
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
"""
SAY = """
def fail():
    raise ValueError('in token "hunter2"-é')

logs.log.info('token "hunter2"-é', short=1)
logs.log.info('a', nested=[dict(key='hunter2%2Dhunter2'), {'hunter2-hunter2': 'hunter2-again'}])
logging.getLogger('library').error('%s', 'scheme://user:hunter2%2Dhunter2@one,two:1/name')
try:
    fail()
except ValueError as error:
    logs.log.error('a', exc_info=error)
logs.log.info('x' * 4090 + 'hunter2-again' + 'x' * 99)
"""


def test_secrets_of_the_settings_are_masked_in_every_line() -> None:
    lines = lines_of(CONFIGURE.replace("FORMAT", "json") + SAY)
    assert len(lines) == 5
    assert "hunter2" not in str(lines)
    assert (lines[0]["event"], lines[0]["short"]) == ("token **********", 1)
    assert lines[2]["event"] == "scheme://user:**********@one,two:1/name"


def test_secrets_are_masked_in_lines_for_people_too() -> None:
    code = "from {{ cookiecutter.package_name }}.chassis.observability import logs; import logging\n"
    said = subprocess.run(
        [*COMMAND[:1], "-c", code + CONFIGURE.replace("FORMAT", "console") + SAY],
        env=path_only(),
        capture_output=True,
        check=True,
    )
    assert b"token **********" in said.stdout
    assert b"hunter2" not in said.stdout + said.stderr


def test_a_service_in_trouble_tells_no_secret(environment: dict[str, str]) -> None:
    for variable in (name.upper() for name in secret_fields(Settings)):
        scheme = urlsplit(environment[variable]).scheme
        environment[variable] = f"{scheme}://user:{CANARY}@127.0.0.1:9/1"
    with Service(environment | {"LOG_LEVEL": "debug", "TOKEN": CANARY}) as service:
        answers = [service.get(path).text for path in ("/readyz", f"/livez?token={CANARY}")]
        for path, operations in service.get("/openapi.json").json()["paths"].items():
            for method in operations:
                answer = fetch(
                    service.url + re.sub(r"\{.*?\}", "1", path),
                    method,
                    params={"limit": CANARY, "password": CANARY},
                    headers={"Authorization": f"Bearer {CANARY}", "Cookie": f"session={CANARY}"},
                    json={"item": {"password": CANARY}, "quantity": CANARY},
                )
                answers.append(answer.text)
        answers.append(fetch(service.metrics_url).text)
        command = ["ps", "-ww", "-o", "args=", "-p", str(service.process.pid)]
        answers.append(subprocess.check_output(command, text=True))
        service.terminate()
        assert service.wait() == 0
        assert CANARY.encode() not in b"".join(service.lines) + service.stderr()
    assert CANARY not in "".join(answers)


def test_a_check_tells_no_secret(environment: dict[str, str]) -> None:
    for variable in (name.upper() for name in secret_fields(Settings)):
        scheme = urlsplit(environment[variable]).scheme
        environment[variable] = f"{scheme}://user:{CANARY}@127.0.0.1:9/1"
    done = run(environment | {"LOG_LEVEL": "debug"}, "check")
    assert CANARY not in done.stdout + done.stderr
