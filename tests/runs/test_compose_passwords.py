"""The URL that the `secrets` container of Compose creates; runs its command without Docker."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml


@pytest.mark.parametrize(
    ("variant", "server"), [("default", "postgres"), ("database-mongodb", "mongodb")]
)
@pytest.mark.parametrize(
    "password", ["p@ss/w#rd?x:y", "100%41", "a 'quoted' \"$word\\", "-né", "x" * 99]
)
def test_any_password_makes_a_usable_url(
    rendered: Callable[[str], Path],
    tmp_path: Path,
    variant: str,
    server: str,
    password: str,
) -> None:
    file = rendered(variant) / f"compose/{server}.yaml"
    container = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]["secrets"]
    command = [*container["entrypoint"], container["command"][0].replace("$$", "$")]
    environment = os.environ | {f"{server.upper()}_PASSWORD": password}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    (created,) = tmp_path.glob("*_url")
    url = urlsplit(created.read_text(encoding="utf-8"))
    assert (url.username, url.hostname) == ("app", server)
    assert unquote(url.password or "") == password
    assert (tmp_path / "password").read_text(encoding="utf-8") == password
