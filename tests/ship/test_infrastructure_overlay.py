"""`make overlay` writes the outputs of a stack, and nothing else, to its overlay."""

import ast
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg.conninfo import conninfo_to_dict

from tests.support.commands import run
from tests.support.infrastructure import render
from tests.support.kubernetes_manifests import kustomize, parse
from tests.support.needs import lack, need_kubectl
from tools.pythons import UV

OUTPUTS = {
    "region": "eu-central-1",
    "registry": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/order-service",
    "registry_arn": "arn:aws:ecr:eu-central-1:123456789012:repository/order-service",
    "registry_audience": "sts.amazonaws.com",
    "ci_provider": "arn:aws:iam::123456789012:oidc-provider/sts.windows.net/0123/",
    "push_role": "arn:aws:iam::123456789012:role/order-service-staging-push-1234567",
    "pull_role": "arn:aws:iam::123456789012:role/order-service-staging-pull-1234567",
    "cluster_name": "order-service-staging",
    "cluster_server": "https://0123.gr7.eu-central-1.eks.amazonaws.com",
    "cluster_certificate": "LS0tLS1CRUdJTi8r+w==",
    "deploy_audience": "kubernetes",
    "deploy_subject": "repo:team/orders:environment:staging",
    "database_host": "order-service-staging.abc.eu-central-1.rds.amazonaws.com",
    "database_secret": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-0dc7-NORMJu",
}
PASSWORD = "a b+c%d%20e?f#g[h]i&j=k!l$m:n{o}p<q>~|\\`^*();,.-_"  # noqa: S105  # An example, of no account.
PROGRAM = """\
package main

import (
	"os"
	"strings"
	"text/template"
)

// As in Sprig, which External Secrets uses.
func replace(old, new, in string) string { return strings.ReplaceAll(in, old, new) }

func main() {
	functions := template.FuncMap{"replace": replace}
	text := template.Must(template.New("").Funcs(functions).Parse(os.Args[1]))
	values := map[string]string{"username": "app", "password": os.Args[2]}
	if err := text.Execute(os.Stdout, values); err != nil {
		panic(err)
	}
}
"""


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return render(tmp_path_factory.mktemp("overlay"))


@pytest.fixture
def service(rendered: Path, tmp_path: Path) -> Path:
    """Return a service, and beside it a `pulumi` that prints `outputs.json`."""
    copy = tmp_path / "service"
    shutil.copytree(rendered, copy)
    pulumi = tmp_path / "pulumi"
    pulumi.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\ncat {tmp_path}/outputs.json\n')
    pulumi.chmod(0o755)
    return copy


def overlay(
    service: Path, outputs: dict[str, Any], name: str = "staging"
) -> subprocess.CompletedProcess[str]:
    """Run `make overlay` with the outputs of a stack."""
    folder = service.parent
    (folder / "outputs.json").write_text(json.dumps(outputs) if outputs else "")
    make = ("make", "--silent", f"UV={UV}", "overlay", f"OVERLAY={name}")
    return run(*make, cwd=service, PATH=f"{folder}:{os.environ['PATH']}")


def external_secret(service: Path, name: str = "staging") -> dict[str, Any]:
    need_kubectl()
    objects = parse(kustomize(service / "deploy" / "overlays" / name))
    (found,) = (it["spec"] for it in objects if it["kind"] == "ExternalSecret")
    assert isinstance(found, dict)
    return found


def url_template(service: Path, name: str = "staging") -> str:
    text = external_secret(service, name)["target"]["template"]["data"]["database_url"]
    assert isinstance(text, str)
    return text


def test_the_outputs_of_the_program_are_exactly_what_the_overlay_reads(rendered: Path) -> None:
    calls = ast.walk(ast.parse((rendered / "infrastructure" / "__main__.py").read_text()))
    exported = [
        ast.literal_eval(call.args[0])
        for call in calls
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pulumi.export"
    ]
    assert sorted(exported) == sorted(OUTPUTS)


@pytest.mark.parametrize("name", ["staging", "production"])
def test_the_overlay_reads_the_secret_and_host_of_its_stack(service: Path, name: str) -> None:
    done = overlay(service, OUTPUTS, name)
    assert done.returncode == 0, done.stderr
    called = (service.parent / "called").read_text()
    assert called == f"--cwd infrastructure stack output --stack {name} --json\n"
    spec = external_secret(service, name)
    sources = {it["secretKey"]: tuple(it["remoteRef"].values()) for it in spec["data"]}
    assert sources == {
        "username": (OUTPUTS["database_secret"], "username"),
        "password": (OUTPUTS["database_secret"], "password"),
        "redis_url": ("order-service", "redis_url"),
    }
    assert spec["target"]["template"]["mergePolicy"] == "Merge"
    assert f"@{OUTPUTS['database_host']}:5432/app" in url_template(service, name)


def test_every_password_survives_the_template_of_the_url(service: Path, tmp_path: Path) -> None:
    if not shutil.which("go"):
        lack("go is not installed")
    overlay(service, OUTPUTS)
    (tmp_path / "main.go").write_text(PROGRAM)
    command = ("go", "run", "main.go", url_template(service), PASSWORD)
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert conninfo_to_dict(done.stdout) == {
        "user": "app",
        "password": PASSWORD,
        "host": OUTPUTS["database_host"],
        "port": "5432",
        "dbname": "app",
        "sslmode": "require",
    }


def test_the_administrator_gets_the_store_and_the_permissions_of_ci(service: Path) -> None:
    overlay(service, OUTPUTS)
    text = (service / "deploy" / "overlays" / "staging" / "access.yaml").read_text()
    objects = {it["kind"]: it for it in yaml.safe_load_all(text)}
    assert objects.keys() == {"Role", "RoleBinding", "SecretStore"}
    (subject,) = objects["RoleBinding"]["subjects"]
    assert subject["name"] == f"ci:{OUTPUTS['deploy_subject']}"
    provider = {"service": "SecretsManager", "region": "eu-central-1"}
    store = objects["SecretStore"]
    assert store["spec"]["provider"] == {"aws": provider}
    reference = {"kind": store["kind"], "name": store["metadata"]["name"]}
    assert external_secret(service)["secretStoreRef"] == reference


def test_the_variables_of_ci_can_be_read_by_a_shell(service: Path) -> None:
    overlay(service, OUTPUTS)
    variables = {
        "IMAGE": "registry",
        "REGISTRY_AUDIENCE": "registry_audience",
        "PUSH_ROLE": "push_role",
        "PULL_ROLE": "pull_role",
        "AWS_REGION": "region",
        "CLUSTER_SERVER": "cluster_server",
        "CLUSTER_CA": "cluster_certificate",
        "CLUSTER_AUDIENCE": "deploy_audience",
    }
    names = " ".join(f"${name}" for name in variables)
    read = f'. ./deploy/overlays/staging/aws.env; echo "{names}"'
    wanted = [OUTPUTS[key] for key in variables.values()]
    assert run("sh", "-c", read, cwd=service).stdout.split() == wanted


def test_the_command_can_be_repeated(service: Path) -> None:
    overlay(service, OUTPUTS | {"database_secret": "arn:first", "database_host": "first.example"})
    overlay(service, OUTPUTS)
    folder = service / "deploy" / "overlays" / "staging"
    texts = [path.read_text() for path in sorted(folder.glob("*"))]
    assert "first" not in "".join(texts)
    assert "\nDATABASE_SECRET=arn:aws:" in (folder / "aws.env").read_text()


REJECTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "no stack": ({}, "staging", "no outputs: run `pulumi up` for this stack first"),
    "missing output": (
        {key: value for key, value in OUTPUTS.items() if key != "region"},
        "staging",
        "missing or unknown outputs: region",
    ),
    "unknown output": (OUTPUTS | {"more": "x"}, "staging", "missing or unknown outputs: more"),
    "unexpected characters": (
        OUTPUTS | {"database_host": 'a"; b'},
        "staging",
        "database_host has unexpected characters",
    ),
    "no overlay": (OUTPUTS, "nowhere", "nowhere is not an overlay with an aws.yaml"),
}


@pytest.mark.parametrize("case", REJECTED)
def test_invalid_outputs_are_rejected_before_a_file_is_written(service: Path, case: str) -> None:
    outputs, name, message = REJECTED[case]
    before = {path: path.read_bytes() for path in service.glob("deploy/overlays/*/*")}
    done = overlay(service, outputs, name)
    assert done.returncode != 0
    assert f"make overlay: {message}" in done.stderr.splitlines()
    assert {path: path.read_bytes() for path in service.glob("deploy/overlays/*/*")} == before
