"""What clients and browsers may do: what values these settings may have, and what they say."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

_origin = re.compile(r"\*|https?://[^\s/,*]+").fullmatch


def _check_origins(text: str) -> str:
    origins = [origin.strip() for origin in text.split(",") if origin.strip()]
    if not all(map(_origin, origins)):
        raise ValueError("no list of origins such as `https://a.example,https://b.example`")
    return ",".join(origins)


HeaderSeconds = Annotated[
    float,
    Field(
        gt=0,
        le=300,
        description="Seconds in which the head of a request must have arrived, or it is 408.",
    ),
]
RequestSeconds = Annotated[
    float,
    Field(
        gt=0,
        le=3600,
        description="Seconds in which a request must be answered; then it is cancelled, with 503.",
    ),
]
SendSeconds = Annotated[
    float,
    Field(
        gt=0,
        le=3600,
        description="Seconds in which a client must take what waits for it, or it is cut off.",
    ),
]
UrlBytes = Annotated[
    int, Field(ge=1, le=65536, description="Longest path with its query; a longer one is 414.")
]
HeaderBytes = Annotated[
    int, Field(ge=1, le=1_048_576, description="Largest header of a request; a larger one is 431.")
]
HeaderFields = Annotated[
    int, Field(ge=1, le=10_000, description="Most fields in a header; more of them are 431.")
]
HstsSeconds = Annotated[
    int,
    Field(
        ge=0,
        description="Seconds for which browsers shall insist on HTTPS; 0 to say nothing of it.",
    ),
]
Origins = Annotated[
    str,
    AfterValidator(_check_origins),
    Field(description="Web sites whose scripts may call, with commas between: origins, or `*`."),
]
