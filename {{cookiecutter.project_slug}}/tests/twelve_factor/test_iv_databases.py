"""IV. Backing services, of the database: another is attached by its address alone."""

import hashlib

from ..support.service import Service, run
from .project import resource, tracked


def test_another_one_is_attached_by_its_address_alone(
    environment: dict[str, str], unmigrated_environment: dict[str, str]
) -> None:
    made = resource()
    before = digest()
    with Service(environment) as service:
        kept = made.create(service.url)
    assert run(unmigrated_environment, "migrate").returncode == 0
    with Service(unmigrated_environment) as service:
        assert service.get(kept).status_code == 404
        made.create(service.url)
    with Service(environment) as service:
        assert service.get(kept).status_code == 200
    assert digest() == before


def digest() -> str:
    """Return a digest of every file in the repository."""
    contents = [path.read_bytes() for path in tracked() if path.is_file()]
    return hashlib.sha256(b"\0".join(contents)).hexdigest()
