"""Load CI pipelines as their providers do: with includes, templates and parameters expanded."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment

from .pythons import ROOT

SERVICE = ROOT / "{{cookiecutter.project_slug}}"
SCHEMAS = {
    "gitlab": ["vendor.gitlab-ci", "--data-transform=gitlab-ci"],
    "azure": ["vendor.azure-pipelines", "--regex-variant=nonunicode"],
    "circleci": ["vendor.circle-ci"],
}
PARAMETER = re.compile(r"\$\{\{ (?:parameters\.)?(\w+) \}\}")
EACH = re.compile(r"\$\{\{ each (\w+) in parameters\.(\w+) \}\}")
IF = re.compile(r"\$\{\{ if (eq|ne)\(parameters\.(\w+), '(.*)'\) \}\}")


def documents(service: Path) -> dict[str, tuple[str, Any]]:
    """Return the pipelines of a service: path of the file, provider and content."""
    found: dict[str, tuple[str, Any]] = {}
    for path in sorted((service / ".github" / "workflows").glob("*.yml")):
        found[str(path.relative_to(service))] = ("github", github(path, service))
    if (service / ".gitlab-ci.yml").exists():
        found[".gitlab-ci.yml"] = ("gitlab", gitlab(service))
    for name in ("azure-pipelines.yml", "azure/rollback.yml"):
        if (service / name).exists():
            found[name] = ("azure", azure(service / name))
    if (service / ".circleci/config.yml").exists():
        found[".circleci/config.yml"] = ("circleci", read(service / ".circleci/config.yml"))
    return found


def read(path: Path) -> Any:
    """Parse a YAML file; Jinja conditionals are rendered as if all answers were yes."""
    text = path.read_text(encoding="utf-8")
    if "{%" in text:
        jinja = Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)  # noqa: S701  # Not HTML.
        answers = dict.fromkeys(("release", "kubernetes", "__deployed"), True) | {"cloud": "aws"}
        text = jinja.from_string(text).render(cookiecutter=answers)
    return yaml.safe_load(text)


def github(path: Path, service: Path) -> Any:
    """Return a workflow with matrices expanded and the steps of local composite actions inlined."""
    workflow = read(path)
    workflow["jobs"] = without_matrices(workflow["jobs"])
    for job in workflow["jobs"].values():
        if "steps" in job:
            job["steps"] = list(inlined(job["steps"], service))
    return workflow


def without_matrices(jobs: dict[str, Any]) -> dict[str, Any]:
    """Return the jobs with each matrix replaced by one job for each target, with its name."""
    targets: dict[str, list[str]] = {
        name: job["strategy"]["matrix"]["target"] for name, job in jobs.items() if "strategy" in job
    }
    found: dict[str, Any] = {}
    for name, job in jobs.items():
        kept = {key: value for key, value in job.items() if key != "strategy"}
        if isinstance(needs := job.get("needs", []), str):
            needs = [needs]
        if needs:
            kept["needs"] = [target for need in needs for target in targets.get(need, [need])]
        for target in targets.get(name, [name]):
            found[target] = dict(kept)
            if "steps" in job:
                found[target]["steps"] = [_for_target(step, target) for step in job["steps"]]
    return found


def _for_target(step: dict[str, Any], target: str) -> dict[str, Any]:
    """Return a step of a job with a matrix, with the target as its argument."""
    if step.get("env") != {"TARGET": "${{ matrix.target }}"}:
        return step
    rest = {key: value for key, value in step.items() if key != "env"}
    return rest | {"run": step["run"].replace('"$TARGET"', target)}


def inlined(steps: list[dict[str, Any]], service: Path) -> Iterator[dict[str, Any]]:
    """Yield the steps in order, those of local composite actions included."""
    for step in steps:
        uses = step.get("uses", "")
        if not uses.startswith("./"):
            yield step
        elif ignored := step.keys() - {"name", "uses"}:
            raise ValueError(f"{uses}: unsupported keys {', '.join(sorted(ignored))}")
        else:
            yield from inlined(read(service / uses / "action.yml")["runs"]["steps"], service)


def gitlab(service: Path) -> dict[str, Any]:
    """Return the pipeline with its includes merged; the including file takes precedence."""
    whole: dict[str, Any] = read(service / ".gitlab-ci.yml")
    parts: dict[str, Any] = {}
    for include in whole.pop("include"):
        files = sorted(service.glob(include["local"]))
        if not files:
            raise FileNotFoundError(include["local"])
        for file in files:
            parts = merged(parts, read(file))
    found: dict[str, Any] = merged(parts, whole)
    return found


def merged(first: Any, second: Any) -> Any:
    """Merge two parts of a pipeline recursively, as GitLab does; `second` takes precedence."""
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second
    common = {key: merged(first[key], second[key]) for key in first.keys() & second.keys()}
    return first | second | common


def azure(path: Path, parameters: dict[str, Any] | None = None) -> Any:
    """Return a pipeline, or a template with these parameters, with its templates expanded."""
    document = read(path)
    declared = document.get("parameters", [])
    # A parameter without a default is set by the user at run time: take its first allowed value.
    given = {p["name"]: p.get("default", next(iter(p.get("values", ["?"])))) for p in declared}
    if parameters is not None:
        unknown = parameters.keys() - given.keys()
        if unknown:
            raise ValueError(f"{path.name} has no parameter {', '.join(sorted(unknown))}")
        document.pop("parameters", None)
        given |= parameters
    return filled(document, given, path.parent)


def filled(value: Any, given: dict[str, Any], folder: Path) -> Any:
    """Fill in template parameters, as Azure does before it parses anything else."""
    if isinstance(value, str):
        whole = PARAMETER.fullmatch(value)
        if whole:
            return given[whole[1]]
        return PARAMETER.sub(lambda match: str(given[match[1]]), value)
    if isinstance(value, list):
        return [item for each in value for item in items(each, given, folder)]
    if isinstance(value, dict):
        made: dict[str, Any] = {}
        for key, inner in value.items():
            if condition := IF.fullmatch(str(key)):
                made |= filled(inner, given, folder) if holds(condition, given) else {}
            else:
                made[key] = filled(inner, given, folder)
        return made
    return value


def items(value: Any, given: dict[str, Any], folder: Path) -> Iterator[Any]:
    """Yield the items that one list item expands to: itself, none, or several."""
    if isinstance(value, dict) and len(value) == 1:
        ((key, inner),) = value.items()
        if each := EACH.fullmatch(str(key)):
            for one in given[each[2]]:
                yield from filled(inner, given | {each[1]: one}, folder)
            return
        if condition := IF.fullmatch(str(key)):
            yield from filled(inner, given, folder) if holds(condition, given) else ()
            return
    if isinstance(value, dict) and "template" in value:
        parameters = filled(value.get("parameters", {}), given, folder)
        made = azure(folder / value["template"], parameters)
        yield from made.get("stages") or made["steps"]
        return
    yield filled(value, given, folder)


def holds(condition: re.Match[str], given: dict[str, Any]) -> bool:
    """Return whether a condition on a parameter holds."""
    relation, name, value = condition.groups()
    return bool((given[name] == value) == (relation == "eq"))


def schema_errors(provider: str, document: Any) -> str:
    """Return the violations of the provider's schema; empty if there are none."""
    tool = Path(sys.executable).with_name("check-jsonschema")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(document, file)
        file.flush()
        command = [str(tool), "--builtin-schema", *SCHEMAS[provider], file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode else ""


def main(service: Path) -> int:
    """Check all pipelines; return the number of invalid ones, or 1 if there is no pipeline."""
    found = {
        path: (provider, document)
        for path, (provider, document) in documents(service).items()
        if provider in SCHEMAS
    }
    errors = {path: schema_errors(*pipeline) for path, pipeline in found.items()}
    for path, error in errors.items():
        if error:
            print(f"{path}: {error}")
    return sum(map(bool, errors.values())) if found else 1


if __name__ == "__main__":
    sys.exit(main(SERVICE))
