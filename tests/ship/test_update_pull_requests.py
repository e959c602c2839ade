"""What `make update` has merged is proposed as each provider allows, once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_cookies.plugin import Cookies

from tests.support.baking import Baker
from tools.pythons import outside

BRANCH = f"template-{'c' * 12}"
PROGRAM = """\
#!/bin/sh
# Writes down what it is told, and goes on to where the test says.
printf '%s\\n' "$(basename "$0") $*" >> "$TOLD"
env | grep '^GIT_CONFIG_VALUE_0=\\|^AZURE_DEVOPS_EXT_PAT=' | sort >> "$KNOWN"
case "$(basename "$0")" in
az) echo 7 ;;
git) [ "$1" != push ] || export GIT_CONFIG_KEY_0=remote.job.url GIT_CONFIG_VALUE_0="$ORIGIN"
    exec "$GIT" "$@" ;;
esac
"""
HOOK = """\
#!/bin/sh
env | grep '^GIT_PUSH_OPTION_[0-9]' | sort > "$OPTIONS"
"""
GITLAB = {
    "CI_JOB_TOKEN": "token-of-the-job",
    "CI_SERVER_URL": "https://gitlab.example.com",
    "CI_PROJECT_PATH": "team/order-service",
    "CI_DEFAULT_BRANCH": "main",
}
AZURE = {
    "SYSTEM_ACCESSTOKEN": "token-of-the-run",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/team/",
    "SYSTEM_TEAMPROJECT": "orders",
    "BUILD_REPOSITORY_NAME": "order-service",
}


class Owned:
    """A service in a repository with an origin, into which an update was merged."""

    def __init__(self, service: Path, folder: Path) -> None:
        self.folder, self.origin = folder, folder / "origin"
        self.service = shutil.copytree(service, folder / "service")
        self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.origin))
        self.git("--git-dir", str(self.origin), "config", "receive.advertisePushOptions", "true")
        (self.origin / "hooks").mkdir(exist_ok=True)
        (self.origin / "hooks/pre-receive").write_text(HOOK)
        (self.origin / "hooks/pre-receive").chmod(0o755)
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", str(self.origin))
        self.git("add", "--all")
        who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"]
        self.git(*who, "commit", "--quiet", "--message", "Start")
        (folder / "bin").mkdir()
        for name in ("az", "git"):
            (folder / "bin" / name).write_text(PROGRAM)
            (folder / "bin" / name).chmod(0o755)

    def git(self, *arguments: str) -> str:
        """Run git in the service, and return what it prints."""
        return subprocess.run(
            ["git", *arguments], cwd=self.service, capture_output=True, text=True, check=True
        ).stdout

    def merge(self) -> None:
        """Leave behind what `make update` does."""
        (self.service / ".cruft.json").write_text(json.dumps({"commit": "c" * 40}))
        (self.service / "Makefile").write_text("update:\n")
        (self.service / ".reports").mkdir(exist_ok=True)
        (self.service / ".reports/template-update.md").write_text(
            "# Template: 2026-12-01\n\n## BREAKING\n\nRename the widgets.\n"
        )

    def propose(self, module: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run what the pipeline runs."""
        recorded = {name: str(self.folder / name.lower()) for name in ("TOLD", "KNOWN", "OPTIONS")}
        fixed = {"ORIGIN": str(self.origin), "GIT": shutil.which("git") or "git"}
        path = f"{self.folder / 'bin'}:{outside()['PATH']}"
        return subprocess.run(
            [sys.executable, "-m", module],
            cwd=self.service,
            env=outside() | variables | recorded | fixed | {"PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    def recorded(self, name: str) -> str:
        """Return what the programs have written down."""
        return (self.folder / name).read_text()

    def pushed(self) -> list[str]:
        """Return the files of the commit that was pushed."""
        return self.git(
            "--git-dir", str(self.origin), "show", "--name-only", "--format=", BRANCH
        ).splitlines()


PROPOSED = {
    "gitlab": ("dev.merge_request", GITLAB, f"{BRANCH} is proposed.\n"),
    "azure": ("dev.azure_pull_request", AZURE, "Pull request 7 is open.\n"),
    "circleci": ("dev.proposed_branch", {}, f"{BRANCH} is pushed: open a pull request of it."),
}


@pytest.fixture
def owned(request: pytest.FixtureRequest, cookies_session: Cookies, tmp_path: Path) -> Owned:
    return Owned(Baker(cookies_session).bake(ci=request.param, database="none"), tmp_path)


@pytest.mark.parametrize(("owned", "provider"), [(p, p) for p in PROPOSED], indirect=["owned"])
def test_an_update_is_proposed_once(owned: Owned, provider: str) -> None:
    module, variables, said = PROPOSED[provider]
    assert owned.propose(module, variables).stdout == "There is nothing to propose.\n"
    owned.merge()
    done = owned.propose(module, variables)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(said)
    assert owned.pushed() == [".cruft.json", "Makefile"]
    owned.git("switch", "--quiet", "main")
    owned.merge()
    again = owned.propose(module, variables)
    assert again.stdout == f"It was proposed before: {BRANCH}\n"


@pytest.mark.parametrize("owned", ["gitlab"], indirect=True)
def test_gitlab_opens_the_merge_request_of_what_is_pushed(owned: Owned) -> None:
    owned.merge()
    owned.propose("dev.merge_request", GITLAB)
    options = [line.partition("=")[2] for line in owned.recorded("options").splitlines()]
    assert options == [
        "merge_request.create",
        "merge_request.target=main",
        "merge_request.title=Template: 2026-12-01",
        "merge_request.description=## BREAKING\\n\\nRename the widgets.",
    ]
    address = "https://gitlab-ci-token:token-of-the-job@gitlab.example.com/team/order-service.git"
    assert f"GIT_CONFIG_VALUE_0={address}\n" in owned.recorded("known")
    assert "token-of-the-job" not in owned.recorded("told")


@pytest.mark.parametrize("owned", ["azure"], indirect=True)
def test_azure_opens_the_pull_request_of_what_is_pushed(owned: Owned) -> None:
    owned.merge()
    owned.propose("dev.azure_pull_request", AZURE)
    told = owned.recorded("told")
    (opened,) = [line for line in told.splitlines() if line.startswith("az ")]
    assert opened.startswith("az repos pr create --organization=https://dev.azure.com/team/")
    assert f"--source-branch={BRANCH} --target-branch=main" in opened
    assert "Rename the widgets." in told
    known = owned.recorded("known")
    assert "AZURE_DEVOPS_EXT_PAT=token-of-the-run\n" in known
    assert "GIT_CONFIG_VALUE_0=Authorization: Bearer token-of-the-run\n" in known
    assert "token-of-the-run" not in told


@pytest.mark.parametrize(
    ("owned", "module", "variables"),
    [
        ("gitlab", "dev.merge_request", GITLAB),
        ("azure", "dev.azure_pull_request", AZURE),
    ],
    indirect=["owned"],
)
def test_what_the_provider_does_not_say_is_named(
    owned: Owned, module: str, variables: dict[str, str]
) -> None:
    owned.merge()
    for name in variables:
        done = owned.propose(module, {key: v for key, v in variables.items() if key != name})
        assert done.returncode == 1
        assert done.stderr.startswith(f"{name} is not set: ")
    assert owned.git("branch", "--list", BRANCH) == ""


@pytest.mark.parametrize("owned", ["circleci"], indirect=True)
def test_a_key_that_may_not_push_is_told_in_a_line(owned: Owned) -> None:
    owned.merge()
    (owned.origin / "hooks/pre-receive").write_text("#!/bin/sh\necho denied >&2\nexit 1\n")
    done = owned.propose("dev.proposed_branch", {})
    assert done.returncode == 1
    assert done.stderr.startswith("git failed: ")
    assert "denied" in done.stderr
