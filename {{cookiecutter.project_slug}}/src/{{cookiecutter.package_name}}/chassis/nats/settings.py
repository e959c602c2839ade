"""Settings of NATS."""

from typing import Annotated

from pydantic import AfterValidator, AnyUrl, Field, Secret, UrlConstraints

from ..config.settings import BaseServiceSettings


def _check_url(url: AnyUrl) -> AnyUrl:
    if url.path not in {None, "", "/"} or url.query is not None or url.fragment is not None:
        raise ValueError("this URL has a path or options, or is not percent-encoded")
    return url


NatsUrl = Secret[
    Annotated[
        AnyUrl,
        UrlConstraints(allowed_schemes=["nats", "tls"], host_required=True),
        AfterValidator(_check_url),
    ]
]
"""The URL of a server; with a user but without a password, the user is a token."""


class NatsSettings(BaseServiceSettings):
    """Variables of the outbox."""

    nats_url: NatsUrl = Field(description="`nats://user:password@host:4222`, or `tls://…`.")
