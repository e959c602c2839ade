"""The stages of a service's pipeline, read from the files of whichever provider it has."""

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.spellings import documents

CARRIED = ("image.tar", "release")
"""What stages hand to later ones, all of it in .reports/."""
MAIN = "refs/heads/main"


@dataclass(frozen=True)
class Stage:
    """What a provider does at one of its jobs."""

    runs: tuple[str, ...] = ()
    after: frozenset[str] = frozenset()
    on_proposals: bool = False
    takes: frozenset[str] = frozenset()
    keeps: frozenset[str] = frozenset()
    environment: str = ""
    approved: bool = False
    """Whether a person has to say yes first; by the environment, if that is the provider's way."""


@dataclass(frozen=True)
class Pipeline:
    """What a commit on main passes through, what a week brings, what is done by hand."""

    delivery: dict[str, Stage] = field(default_factory=dict)
    weekly: dict[str, Stage] = field(default_factory=dict)
    by_hand: dict[str, Stage] = field(default_factory=dict)
    delivered_weekly: bool = False


def pipeline(service: Path) -> Pipeline:
    """Return the pipeline of a service."""
    found = documents(service)
    provider = {provider for provider, _ in found.values()}.pop()
    read = {"github": github, "gitlab": gitlab, "azure": azure, "circleci": circleci}[provider]
    return read({path: document for path, (_, document) in found.items()})


def nearest(stages: dict[str, Stage]) -> dict[str, Stage]:
    """Leave out what comes before by way of others anyhow."""

    def before(name: str) -> set[str]:
        return {each for one in stages[name].after for each in {one, *before(one)}}

    return {
        name: Stage(
            **vars(stage)
            | {
                "after": frozenset(
                    one
                    for one in stage.after
                    if not any(one in before(other) for other in stage.after)
                )
            }
        )
        for name, stage in stages.items()
    }


def spoken(commands: Iterable[str], variables: dict[str, str] | None = None) -> tuple[str, ...]:
    """Return what of these commands is `make` or a module, with the overlay it is told of."""
    found = []
    for command in "\n".join(commands).splitlines():
        words = shlex.split(command) or [""]
        if words[0] == "make":
            named = dict(word.split("=", 1) for word in words if "=" in word)
            told = {**(variables or {}), **named}
            release = "RELEASE" in told and told["RELEASE"] != ""
            targets = [word for word in words if "=" not in word]
            overlay = told.get("OVERLAY", "")
            if "deploy" in targets:
                targets += [f"OVERLAY={overlay if re.fullmatch('[a-z]+', overlay) else '…'}"]
                targets += ["RELEASE=…"] if release else []
            found.append(" ".join(targets))
        elif words[:2] == ["python3", "-m"]:
            found.append("propose")
    return tuple(found)


def files(*names: str) -> frozenset[str]:
    """Return which of the files that are carried these paths are."""
    return frozenset(name for name in (Path(n).name for n in names) if name in CARRIED)


def github(documents: dict[str, Any]) -> Pipeline:
    """Read workflows; one that another calls stands in its place."""
    # YAML takes the key `on` for a yes.
    events = {path: set(document[True]) for path, document in documents.items()}
    proposed = {
        name
        for path, on in events.items()
        if "pull_request" in on
        for name in called(documents, path)
    }
    main = [path for path, on in events.items() if "push" in on]
    assert len(main) == 1, main
    delivery = {
        name: Stage(**vars(stage) | {"on_proposals": name in proposed})
        for name, stage in called(documents, main[0]).items()
    }
    weekly: dict[str, Stage] = {}
    by_hand: dict[str, Stage] = {}
    for path, on in events.items():
        if path not in main and "schedule" in on:
            weekly |= called(documents, path)
        elif on == {"workflow_dispatch"}:
            by_hand |= {n: Stage(runs=s.runs) for n, s in called(documents, path).items()}
    return Pipeline(nearest(delivery), weekly, by_hand, "schedule" in events[main[0]])


def called(
    documents: dict[str, Any], path: str, inputs: dict[str, str] | None = None, caller: str = ""
) -> dict[str, Stage]:
    """Return the stages of a workflow, those of the workflows that it calls among them."""
    document = documents[path]
    inputs = declared(document) | (inputs or {})
    made: dict[str, dict[str, Stage]] = {}
    for name, job in document["jobs"].items():
        needs = job.get("needs", [])
        ends = {
            end
            for need in ([needs] if isinstance(needs, str) else needs)
            for end in made[need]
            if not any(end in stage.after for stage in made[need].values())
        }
        if "uses" in job:
            handed = {k: filled(str(v), inputs) for k, v in job.get("with", {}).items()}
            inner = called(documents, job["uses"].removeprefix("./"), handed, name)
        else:
            alone = caller and len(document["jobs"]) == 1
            inner = {caller if alone else name: one_job(job, document, inputs)}
        made[name] = {
            each: Stage(**vars(stage) | {"after": stage.after or frozenset(ends)})
            for each, stage in inner.items()
        }
    return {each: stage for stages in made.values() for each, stage in stages.items()}


def declared(document: dict[Any, Any]) -> dict[str, str]:
    """Return what a workflow is told if nobody tells it anything: defaults, or the unknown."""
    on = document[True]
    asked = (on.get("workflow_call") or on.get("workflow_dispatch") or {}) if on else {}
    return {name: str(i.get("default", "?")) for name, i in asked.get("inputs", {}).items()}


def one_job(job: dict[str, Any], document: dict[Any, Any], inputs: dict[str, str]) -> Stage:
    """Return what a job of a workflow does."""
    steps, environment = job["steps"], filled(str(job.get("environment", "")), inputs)
    runs = [
        each
        for step in steps
        if "run" in step
        for variables in [{**document.get("env", {}), **job.get("env", {}), **step.get("env", {})}]
        for each in spoken([step["run"]], {k: filled(str(v), inputs) for k, v in variables.items()})
    ]

    def passed(action: str, key: str) -> list[str]:
        return [
            step["with"][key] for step in steps if f"/{action}-artifact@" in step.get("uses", "")
        ]

    kept = files(*passed("upload", "path"))
    taken = files(*(f"{n}.tar" if n == "image" else n for n in passed("download", "name")))
    return Stage(
        runs=tuple(runs),
        takes=taken,
        keeps=kept,
        environment=environment if environment in {"staging", "production"} else "",
        approved=environment == "production",
    )


def filled(text: str, inputs: dict[str, str]) -> str:
    """Fill in what a workflow was told."""
    return re.sub(r"\$\{\{ *inputs\.(\w+) *\}\}", lambda m: inputs.get(m[1], "?"), text)


def gitlab(documents: dict[str, Any]) -> Pipeline:
    """Read jobs, each with what it extends; which pipelines it is part of, its rules say."""
    (document,) = documents.values()
    jobs = {
        name: extended(document, job)
        for name, job in document.items()
        if isinstance(job, dict) and ("script" in job) and not name.startswith(".")
    }
    names = {name: name.removeprefix("build-") for name in jobs}
    made: dict[str, dict[str, Stage]] = {"push": {}, "schedule": {}, "web": {}}
    proposed = set()
    for name, job in jobs.items():
        needs = [need if isinstance(need, str) else need["job"] for need in job.get("needs", [])]
        script = [job["script"]] if isinstance(job["script"], str) else job["script"]
        (rule,) = job["rules"]
        environment = job.get("environment", "")
        stage = Stage(
            runs=spoken(script),
            after=frozenset(names[need] for need in needs),
            takes=files(*(p for n in needs for p in jobs[n].get("artifacts", {}).get("paths", ()))),
            keeps=files(*job.get("artifacts", {}).get("paths", ())),
            environment=environment if environment in {"staging", "production"} else "",
            approved=rule.get("when") == "manual" and rule.get("allow_failure") is False,
        )
        sources = re.findall(r"merge_request_event|push|schedule|web", rule["if"])
        if "merge_request_event" in sources:
            proposed.add(names[name])
        for source, stages in made.items():
            if source in sources:
                stages[names[name]] = stage
    delivery = {
        name: Stage(**vars(stage) | {"on_proposals": name in proposed})
        for name, stage in made["push"].items()
    }
    weekly = {name: stage for name, stage in made["schedule"].items() if name not in delivery}
    return Pipeline(
        nearest(delivery), weekly, made["web"], delivery.keys() <= made["schedule"].keys()
    )


def extended(document: dict[str, Any], job: dict[str, Any]) -> dict[str, Any]:
    """Return a job with what it extends: the later wins, and mappings are merged."""
    bases = job.get("extends", [])
    made: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        merge(made, extended(document, document[base]))
    merge(made, {key: value for key, value in job.items() if key != "extends"})
    return made


def merge(into: dict[str, Any], other: dict[str, Any]) -> None:
    """Merge one mapping into another, as GitLab does."""
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            into[key] = dict(into[key])
            merge(into[key], value)
        else:
            into[key] = value


def azure(documents: dict[str, Any]) -> Pipeline:
    """Read stages, whose templates are in place; which runs they are part of, conditions say."""
    parts: dict[str, dict[str, Stage]] = {"delivery": {}, "weekly": {}, "by hand": {}}
    document = documents["azure-pipelines.yml"]
    rollback = documents.get("azure/rollback.yml", {"stages": []})
    variables = {v["name"]: v["value"] for v in rollback.get("variables", [])}
    for part, stage in [
        *(("delivery", stage) for stage in document["stages"]),
        *(("by hand", stage) for stage in rollback["stages"]),
    ]:
        condition = stage["condition"]
        (job,) = stage["jobs"]
        deployed = job.get("strategy", {}).get("runOnce", {}).get("deploy", {})
        environment = job.get("environment", "")
        steps = deployed.get("steps") or job["steps"]
        scripts = [s.get("script") or s.get("inputs", {}).get("inlineScript", "") for s in steps]
        taken = [s["inputs"]["artifactName"] for s in steps if "Download" in s.get("task", "")]
        made = Stage(
            runs=spoken(scripts, variables if part == "by hand" else {}),
            after=frozenset(stage["dependsOn"]),
            on_proposals=part == "delivery" and "SourceBranch" not in condition,
            takes=files(*taken),
            keeps=files(*(step["publish"] for step in steps if "publish" in step)),
            environment=environment if part == "delivery" else "",
            approved=environment == "production" and part == "delivery",
        )
        name = stage["stage"]
        if part == "by hand":
            # Which of the two is asked for whoever runs it.
            runs = tuple(re.sub("OVERLAY=[a-z]+", "OVERLAY=…", run) for run in made.runs)
            parts[part]["rollback"] = Stage(runs=runs)
        elif "Build.Reason" in condition:
            parts["weekly"][name] = Stage(**vars(made) | {"on_proposals": False})
        else:
            parts[part][name] = made
    return Pipeline(
        nearest(parts["delivery"]), parts["weekly"], parts["by hand"], "schedules" in document
    )


def circleci(documents: dict[str, Any]) -> Pipeline:
    """Read workflows, whose jobs are all one job with parameters."""
    (document,) = documents.values()
    parts = {
        name: {
            stage: made
            for entry in workflow["jobs"]
            for job, told in entry.items()
            for stage, made in [job_of(document, job, told)]
        }
        for name, workflow in document["workflows"].items()
    }
    approvals = {n: s.after for n, s in parts["delivery"].items() if s.approved and not s.runs}
    delivery = {}
    for name, stage in parts["delivery"].items():
        yes = stage.after & approvals.keys()
        after = (stage.after - yes).union(*(approvals[each] for each in yes))
        if name not in approvals:
            delivery[name] = Stage(**vars(stage) | {"after": after, "approved": bool(yes)})
    weekly = {n: Stage(**vars(s) | {"on_proposals": False}) for n, s in parts["weekly"].items()}
    by_hand = {n: Stage(runs=s.runs) for n, s in parts.get("rollback", {}).items()}
    whole = "weekly" not in yaml.safe_dump(document["workflows"]["delivery"].get("when", ""))
    return Pipeline(nearest(delivery), weekly, by_hand, whole)


def job_of(document: dict[str, Any], job: str, told: dict[str, Any]) -> tuple[str, Stage]:
    """Return the name of a job of a workflow, and what it does."""
    filters = told.get("filters", {}).get("branches", {})
    assert filters in ({}, {"only": "main"}), filters
    after = frozenset(told.get("requires", []))
    if told.get("type") == "approval":
        return job, Stage(after=after, approved=True)
    defined = document["jobs"][job]
    values = {n: p.get("default") for n, p in defined["parameters"].items()} | told
    steps = [*told.get("pre-steps", []), *steps_of(defined["steps"], values)]
    steps += told.get("post-steps", [])
    targets = re.sub(r"<< .*? >>", "…", told["targets"])
    runs = [s["run"] for s in steps if isinstance(s, dict) and "run" in s]
    scripts = [r if isinstance(r, str) else r["command"] for r in runs]
    attached = any("attach_workspace" in step for step in steps)
    kept = [p for s in steps if "persist_to_workspace" in s for p in paths(s, values)]
    contexts = told.get("context", [])
    environment = [c for c in ("staging", "production") if c in contexts]
    return told["name"], Stage(
        runs=spoken(script.replace("$TARGETS", targets) for script in scripts),
        after=after,
        on_proposals=not filters,
        takes=files(*values["takes"].split()) if attached else frozenset(),
        keeps=files(*kept),
        environment="".join(environment),
    )


def paths(step: dict[str, Any], values: dict[str, Any]) -> list[str]:
    """Return what a job keeps for later ones."""
    found = step["persist_to_workspace"]["paths"]
    return [re.sub(r"<< parameters\.(\w+) >>", lambda m: values[m[1]], path) for path in found]


def steps_of(steps: list[Any], values: dict[str, Any]) -> list[Any]:
    """Return the steps of a job whose conditions hold."""
    found: list[Any] = []
    for step in steps:
        if isinstance(step, dict) and "when" in step:
            named = re.fullmatch(r"<< parameters\.(\w+) >>", step["when"]["condition"])
            assert named, step
            found += step["when"]["steps"] if values[named[1]] else []
        else:
            found.append(step)
    return found
