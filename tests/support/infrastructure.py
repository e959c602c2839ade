"""Runs the Pulumi program of `cloud=aws`, and copies of it with a bug, in moto."""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from cookiecutter.main import cookiecutter

from tools.pythons import UV, newest_python

from .commands import must_run
from .template import ROOT

TOOLS = ("moto[server]==5.2.5", "boto3==1.44.8")
"""The simulation of AWS, and its client, which the infrastructure does not have."""
TRUST = {
    "ci_issuer": "https://ci.example.com/oidc",
    "push_subject": "repo:team/orders:ref:refs/heads/main",
    "deploy_subject": "repo:team/orders:environment:staging",
}
MUTANTS = ROOT / "tests" / "ship" / "broken_infrastructure.toml"

Result = dict[str, Any]
Inputs = dict[str, Any]


def render(folder: Path) -> Path:
    """Render a service with its infrastructure."""
    answers = {"kubernetes": True, "cloud": "aws", "redis": True, "release": True}
    context = answers | {"python_version": newest_python()}
    made = cookiecutter(str(ROOT), no_input=True, extra_context=context, output_dir=str(folder))
    return Path(made)


def run(service: Path, scenarios: list[dict[str, Any]]) -> list[Result]:
    """Run the program once per scenario; see `tests/support/aws`."""
    asked, written = service / "scenarios.json", service / "results.json"
    asked.write_text(json.dumps(scenarios))
    tools = [word for tool in TOOLS for word in ("--with", tool)]
    project: list[str | Path] = ["--quiet", "--project", str(service / "infrastructure"), *tools]
    must_run(
        *(UV, "run", *project, "python", "-P", "-m", "tests.support.aws", asked, written),
        cwd=service,
        PYTHONPATH=str(ROOT),
        AWS_DEFAULT_REGION="eu-central-1",
    )
    results: list[Result] = json.loads(written.read_text())
    return results


def mutants() -> dict[str, dict[str, str]]:
    """Return the mutants by id: the promise that each breaks, and its number."""
    declared = tomllib.loads(MUTANTS.read_text(encoding="utf-8"))
    return {
        f"{promise}-{number}": {"promise": promise, **mutant}
        for promise, listed in declared.items()
        for number, mutant in enumerate(listed)
    }


def broken(service: Path, name: str, mutant: dict[str, str]) -> Path:
    """Return a copy of the program with an edit, whose text must occur once."""
    copy = service.parent / "mutants" / name
    ignored = shutil.ignore_patterns(".venv", "uv.lock", "__pycache__")
    shutil.copytree(service / "infrastructure", copy, ignore=ignored)
    file = copy / mutant["file"]
    text = file.read_text(encoding="utf-8")
    assert text.count(mutant["old"]) == 1, f"{name}: {mutant['old']}"
    file.write_text(text.replace(mutant["old"], mutant["new"]), encoding="utf-8")
    return copy


def inputs(result: Result, kind: str) -> dict[str, Inputs]:
    """Return the inputs of all resources of a type, by name."""
    assert result["error"] is None, result["error"]
    found = result["resources"]
    return {it["name"]: it["inputs"] for it in found if it["type"].endswith(f":{kind}")}


def one(result: Result, kind: str) -> Inputs:
    (found,) = inputs(result, kind).values()
    return found


def instance(result: Result) -> Inputs:
    assert result["error"] is None, result["error"]
    (found,) = result["instances"]
    assert isinstance(found, dict)
    return found


def policy(result: Result, name: str) -> list[dict[str, Any]]:
    """Return the statements of a policy that the program writes."""
    found: list[dict[str, Any]]
    found = json.loads(inputs(result, "RolePolicy")[name]["policy"])["Statement"]
    return found


def statements(result: Result) -> list[dict[str, Any]]:
    """Return the statements of all policies that the program writes."""
    return [it for name in inputs(result, "RolePolicy") for it in policy(result, name)]


def trust(result: Result, name: str) -> dict[str, Any]:
    role = inputs(result, "Role")[f"order-service-staging-{name}"]
    (found,) = json.loads(role["assumeRolePolicy"])["Statement"]
    assert isinstance(found, dict)
    return found
