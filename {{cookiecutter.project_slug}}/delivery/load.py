"""Loads the image that the job before has saved, and refuses one of another commit."""

import sys

from .docker import docker, inspect
from .release import REPORTS, required

SAVED = REPORTS / "image.tar"


def main() -> None:
    """Give the Docker engine of this machine the image."""
    built = required("BUILT", "order-service:0123456789ab")
    if not SAVED.exists():
        sys.exit(".reports/image.tar is not there: make save writes it, where the image is built")
    loaded = docker("load", "--quiet", "--input", str(SAVED)).split(": ", 1)[-1].strip()
    if loaded != built:
        sys.exit(f".reports/image.tar holds {loaded}, but this is {built}")
    print(f"{built} is {inspect(built)['Id']}")


if __name__ == "__main__":
    main()
