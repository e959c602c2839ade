"""V. Build, release, run: build one image, without configuration, identified by its commit."""

import json
import re
from uuid import uuid4

import yaml

from . import project
from .report import Measure

DIGEST_OR_VERSION = re.compile(r".+(@sha256:[0-9a-f]{64}|:[\w.-]*\d[\w.-]*)")
HARDENED = [
    "--read-only",
    "--tmpfs=/tmp",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--user=54321:0",
]


def test_images_are_pinned_to_a_version_or_a_digest(measure: Measure) -> None:
    bases = [rest.split() for name, rest in project.dockerfile() if name == "FROM"]
    measure("base images", len(bases), "images", at_least=1)
    stages = {words[-1] for words in bases}
    floating = {base for base, *_ in bases if not DIGEST_OR_VERSION.fullmatch(base)}
    assert floating - stages == set()
    text = "".join(path.read_text(encoding="utf-8") for path in project.tracked("compose/*.yaml"))
    assert ":latest" not in text


def test_the_revision_is_the_only_build_argument_and_a_label() -> None:
    instructions = project.runtime_stage()
    arguments = [rest.partition("=")[0] for name, rest in instructions if name == "ARG"]
    assert arguments == ["REVISION"]
    label = next(rest for name, rest in instructions if name == "LABEL")
    assert 'org.opencontainers.image.revision="$REVISION"' in label


def test_the_image_neither_installs_nor_migrates_at_run_time() -> None:
    command = " ".join(project.image_command())
    assert command
    assert not re.search(r"\b(pip|uv|apt|npm|make|git|curl|migrate)\b", command)


def test_every_process_runs_the_same_image(measure: Measure) -> None:
    common = yaml.safe_load(project.read("compose/service.yaml"))
    assert "image" in common["services"]["service"]
    measure("run from one image", len(project.process_types()), "process types", at_least=1)
    for name in project.process_types():
        assert not {"image", "build", "entrypoint"} & project.compose_services()[name].keys()


def test_the_image_runs_without_network_write_access_or_privileges(image: str) -> None:
    # `check` connects to the backing services; `openapi` does not.
    command = "openapi" if project.BACKING_SERVICES else "check"
    output = project.docker("run", "--rm", "--network", "none", *HARDENED, image, command)
    assert '"paths"' in output or '"setting"' in output


def test_an_earlier_release_still_runs(image: str) -> None:
    earlier = f"conformance-{uuid4().hex}"
    project.docker("build", "--quiet", "--build-arg", "REVISION=earlier", "--tag", earlier, ".")
    try:
        for name, revision in ((image, "conformance"), (earlier, "earlier")):
            config = json.loads(project.docker("image", "inspect", name))[0]["Config"]
            assert f"REVISION={revision}" in config["Env"]
            assert '"paths"' in project.docker("run", "--rm", *HARDENED, name, "openapi")
    finally:
        project.docker("image", "rm", "--force", earlier)
