"""V. Build, release, run: one image, made once, without configuration, known by its commit."""

import json
import re
from uuid import uuid4

import yaml

from ..support.service import Service
from .project import BACKING_SERVICES, ROOT, docker, dockerfile, last_stage, processes, tracked
from .report import Measure

DIGEST_OR_VERSION = re.compile(r".+(@sha256:[0-9a-f]{64}|:[\w.-]*\d[\w.-]*)")
HARDENED = [
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--user=54321:0",
]


def test_no_image_is_built_on_something_that_changes_its_meaning(measure: Measure) -> None:
    bases = [rest.split() for name, rest in dockerfile() if name == "FROM"]
    measure("bases", len(bases), "images", at_least=1)
    stages = {words[-1] for words in bases}
    floating = {base for base, *_ in bases if not DIGEST_OR_VERSION.fullmatch(base)}
    assert floating - stages == set()
    text = "".join(path.read_text(encoding="utf-8") for path in tracked("compose/*.yaml"))
    assert ":latest" not in text


def test_the_release_is_the_commit_and_every_line_tells_it(environment: dict[str, str]) -> None:
    with Service(environment | {"REVISION": "0123abc"}) as service:
        assert service.get("/version").json()["revision"] == "0123abc"
        service.terminate()
        service.wait()
    assert {json.loads(line)["revision"] for line in service.lines} == {"0123abc"}


def test_the_image_is_told_its_commit_and_nothing_else() -> None:
    said = last_stage()
    assert [rest.partition("=")[0] for name, rest in said if name == "ARG"] == ["REVISION"]
    label = next(rest for name, rest in said if name == "LABEL")
    assert 'org.opencontainers.image.revision="$REVISION"' in label


def test_nothing_is_installed_or_compiled_at_run_time() -> None:
    final = " ".join(rest for name, rest in last_stage() if name in {"ENTRYPOINT", "CMD"})
    assert final
    assert not re.search(r"\b(pip|uv|apt|npm|make|git|curl|migrate)\b", final)


def test_every_process_runs_the_same_image(measure: Measure) -> None:
    common = yaml.safe_load((ROOT / "compose/service.yaml").read_text(encoding="utf-8"))
    assert "image" in common["services"]["service"]
    measure("processes", len(processes()), "of one image", at_least=1)
    for path in tracked("compose/*.yaml"):
        for made in yaml.safe_load(path.read_text(encoding="utf-8"))["services"].values():
            assert "extends" not in made or not {"image", "build", "entrypoint"} & made.keys()


def test_the_image_runs_without_a_network_a_root_to_write_on_or_rights(image: str) -> None:
    # What asks a backing service cannot be alone; what does not, can.
    command = "openapi" if BACKING_SERVICES else "check"
    said = docker("run", "--rm", "--network", "none", *HARDENED, image, command)
    assert '"paths"' in said or '"variable"' in said


def test_an_earlier_release_can_be_run_again(image: str) -> None:
    earlier = f"conformance-{uuid4().hex}"
    docker("build", "--quiet", "--build-arg", "REVISION=earlier", "--tag", earlier, ".")
    try:
        for name, revision in ((image, "conformance"), (earlier, "earlier")):
            config = json.loads(docker("image", "inspect", name))[0]["Config"]
            assert f"REVISION={revision}" in config["Env"]
            assert '"paths"' in docker("run", "--rm", *HARDENED, name, "openapi")
    finally:
        docker("image", "rm", "--force", earlier)
