"""Settings of the HTTP server, its limits, and its health and metrics endpoints."""

import re
from ipaddress import ip_network
from typing import Annotated

from pydantic import AfterValidator, Field

from ..config.settings import BaseServiceSettings

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(ge=0, le=300)]
Timeout = Annotated[float, Field(gt=0, le=3600)]
Size = Annotated[int, Field(ge=1, le=1_048_576)]

ROOT_PATH = r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*"
"""Regular expression for a path prefix; its characters are safe in a header and in HTML."""

_origin = re.compile(r"\*|https?://[^\s/,*]+").fullmatch


def _check_origins(text: str) -> str:
    origins = [origin.strip() for origin in text.split(",") if origin.strip()]
    if not all(map(_origin, origins)):
        raise ValueError("not a list of origins such as `https://a.example,https://b.example`")
    return ",".join(origins)


def _check_root_path(text: str) -> str:
    if not re.fullmatch(ROOT_PATH, path := text.rstrip("/")):
        raise ValueError("not a path such as `/shop`")
    return path


def _check_proxies(text: str) -> str:
    proxies = [proxy.strip() for proxy in text.split(",") if proxy.strip()]
    if proxies != ["*"]:
        try:
            for proxy in proxies:
                ip_network(proxy)
        except ValueError:
            raise ValueError(
                "not `*` or a list of addresses and networks such as `10.0.0.0/8,192.0.2.1`;"
                " the address of a network has no bits of a host"
            ) from None
    return ",".join(proxies)


class HttpSettings(BaseServiceSettings):
    """Variables of every process that serves HTTP."""

    host: str = Field(
        default="0.0.0.0",  # noqa: S104  # A container is reached from outside.
        description="Address that the process listens on.",
    )
    port: Port = Field(default=8000, description="TCP port of the web process.")
    metrics_port: Port = Field(default=9090, description="TCP port of `GET /metrics`.")
    drain_seconds: Seconds = Field(
        default=5,
        description="Seconds after SIGTERM in which requests are served; `/readyz` returns 503.",
    )
    shutdown_seconds: Seconds = Field(
        default=20, description="Seconds after draining in which requests in flight may finish."
    )
    keep_alive_seconds: Timeout = Field(
        default=75, description="Timeout for idle connections; longer than at the load balancer."
    )
    header_seconds: Timeout = Field(
        default=10, description="Timeout for request headers; then 408."
    )
    request_seconds: Timeout = Field(default=15, description="Timeout for a request; then 503.")
    send_seconds: Timeout = Field(
        default=30, description="Timeout for a client that does not read its response."
    )
    max_url_bytes: int = Field(
        default=8_192, ge=1, le=65_536, description="Longest path and query; above it, 414."
    )
    max_header_bytes: Size = Field(
        default=32_768, description="Total size of request headers; above it, 431."
    )
    max_header_fields: Size = Field(default=100, description="Number of headers; above it, 431.")
    max_body_bytes: int = Field(
        default=1_048_576, ge=0, description="Size of a request body; above it, 413."
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_check_proxies)] = Field(
        default="127.0.0.1",
        description="Proxies whose `X-Forwarded-*` is trusted: addresses, networks or `*` (any).",
    )
    root_path: Annotated[str, AfterValidator(_check_root_path)] = Field(
        default="", description="Path prefix that the proxy strips, such as `/shop`."
    )
    cors_origins: Annotated[str, AfterValidator(_check_origins)] = Field(
        default="", description="Origins that browsers may call from, comma-separated, or `*`."
    )
    hsts_seconds: int = Field(
        default=0, ge=0, description="`max-age` of `Strict-Transport-Security`; 0 omits it."
    )
    docs_enabled: bool = Field(default=True, description="Serve `/docs` and `/openapi.json`.")
