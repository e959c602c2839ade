"""Every variant: the exact files, no residue, valid formats, clean code, and its own tests pass."""

import hashlib
import json
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.pythons import UV, outside

from .needs import need_redis
from .template import FIRST, expected_files, files_of
from .tested import fingerprint, tested
from .variants import VARIANTS

Rendered = Callable[[str], Path]
every_variant = pytest.mark.parametrize("variant", VARIANTS)


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Run make targets in a service; services of the same dependencies share an environment."""
    environments = tmp_path_factory.mktemp("environments")

    def run(service: Path, *targets: str, **variables: str) -> str:
        pyproject = tomllib.loads((service / "pyproject.toml").read_text(encoding="utf-8"))
        project = pyproject["project"]
        needs = json.dumps(
            [project["requires-python"], project["dependencies"], pyproject["dependency-groups"]]
        )
        environment = environments / hashlib.sha256(needs.encode()).hexdigest()[:8]
        done = subprocess.run(
            ["make", f"UV={UV}", *targets],
            cwd=service,
            env=outside() | {"UV_PROJECT_ENVIRONMENT": str(environment)} | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{service.name}: make {targets}\n{done.stdout}{done.stderr}"
        return done.stdout

    return run


def answers_of(variant: str) -> dict[str, Any]:
    """Return the answers that decide on files, defaults included."""
    answers = FIRST | VARIANTS[variant]
    if "package_name" not in VARIANTS[variant]:
        slug = VARIANTS[variant].get("project_slug", "order-service")
        answers["package_name"] = slug.replace("-", "_")
    return answers


@every_variant
def test_the_files_are_exactly_those_that_belong_to_it(rendered: Rendered, variant: str) -> None:
    assert files_of(rendered(variant)) == expected_files(answers_of(variant))


@every_variant
def test_nothing_of_the_template_is_left(rendered: Rendered, variant: str) -> None:
    service = rendered(variant)
    for path in files_of(service):
        text = (service / path).read_text(encoding="utf-8")
        assert "cookiecutter" not in text.lower(), path
        assert not re.search(r"\{%|%\}", text), path
        assert "\n\n\n\n" not in text, path
        assert text == "" or (text.endswith("\n") and not text.endswith("\n\n")), path
    assert not [path for path in service.rglob("*") if path.is_dir() and not any(path.iterdir())]


@every_variant
def test_every_file_is_valid_in_its_format(rendered: Rendered, variant: str) -> None:
    service = rendered(variant)
    parsed = 0
    for path in files_of(service):
        text = (service / path).read_text(encoding="utf-8")
        match Path(path).suffix:
            case ".toml":
                tomllib.loads(text)
            case ".yaml" | ".yml":
                yaml.safe_load(text)
            case _:
                continue
        parsed += 1
    assert parsed > 3


@every_variant
def test_free_texts_arrive_as_they_were_given(rendered: Rendered, variant: str) -> None:
    service, answers = rendered(variant), answers_of(variant)
    project = tomllib.loads((service / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["description"] == answers["description"]
    assert project["authors"] == [
        {"name": answers["author_name"], "email": answers["author_email"]}
    ]
    readme = (service / "README.md").read_text(encoding="utf-8")
    assert readme.startswith(f"# {answers['project_name']}\n\n{answers['description']}\n")
    license_text = (service / "LICENSE").read_text(encoding="utf-8")
    assert answers["license"] == "Apache-2.0" or answers["organization"] in license_text


@every_variant
def test_links_in_the_readme_lead_somewhere(rendered: Rendered, variant: str) -> None:
    service = rendered(variant)
    readme = (service / "README.md").read_text(encoding="utf-8")
    package = service / "src" / answers_of(variant)["package_name"]
    named = re.findall(r"`((?:[\w./]+/)?[\w.-]+\.(?:py|toml|yaml|lock)|[\w/]+/)`", readme)
    assert len(named) > 10
    for name in set(named) - {"uv.lock", ".dev/"}:
        assert (service / name).exists() or (package / name).exists(), name


@every_variant
def test_it_passes_its_own_checks(
    rendered: Rendered, make: Callable[..., str], variant: str
) -> None:
    make(rendered(variant), "check")


@every_variant
def test_it_passes_its_own_tests(
    rendered: Rendered, make: Callable[..., str], variant: str, request: pytest.FixtureRequest
) -> None:
    service = rendered(variant)
    need_redis(service)
    variables = {}
    if (service / "tests/mongodb.py").exists():
        variables["MONGODB_URL"] = request.getfixturevalue("mongodb_url")
    same = tested.get(fingerprint(service))
    if same is None:
        said = make(service, "test", **variables)
        assert re.search(r"\d+ passed", said)
        assert "skipped" not in said
        tested[fingerprint(service)] = service
    else:
        assert (same / "pyproject.toml").exists()
