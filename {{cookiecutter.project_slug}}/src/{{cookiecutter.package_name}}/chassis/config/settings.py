"""Settings of every process, read from the environment."""

from typing import Annotated, Literal

from pydantic import AnyHttpUrl, BeforeValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

type Lower[T] = Annotated[T, BeforeValidator(str.lower)]
LogLevel = Lower[Literal["debug", "info", "warning", "error", "critical"]]


class BaseServiceSettings(BaseSettings):
    """Settings of every process: field `port` is the variable `PORT`.

    A secret `X` may also come from the file that `X_FILE` names (see `secret_files.py`).
    """

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    revision: str = Field(
        default="unknown", description="Commit that this release is built from; set in the image."
    )
    otel_service_name: str = Field(
        default="{{ cookiecutter.project_slug }}",
        description="Name of this service in logs and traces.",
    )
    log_level: LogLevel = Field(default="info", description="Least severe level that is logged.")
    log_format: Lower[Literal["json", "console"]] = Field(
        default="json", description="One JSON object per line (`json`) or text (`console`)."
    )
    otel_sdk_disabled: bool = Field(default=False, description="Export no traces.")
    otel_traces_exporter: Lower[Literal["otlp", "none"]] | None = Field(
        default=None, description="`otlp` or `none`; `otlp` if unset and an endpoint is set."
    )
    otel_exporter_otlp_endpoint: AnyHttpUrl | None = Field(
        default=None, description="OTLP/HTTP endpoint; `/v1/traces` is added to its path."
    )
    otel_exporter_otlp_traces_endpoint: AnyHttpUrl | None = Field(
        default=None, description="OTLP/HTTP endpoint of traces, used as it is."
    )
