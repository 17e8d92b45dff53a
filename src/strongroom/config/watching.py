"""The settings of tracing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from strongroom.config.fields import Name, Section, Wait, Whole, check_hosts


def _receiver(value: object) -> object:
    """A URL of scheme and host, optionally with port and path. A user, a password or a query would be a secret."""
    if isinstance(value, str) and re.fullmatch(r"https?://[^/\s@?#]+(/[^\s@?#]*)?", value, re.ASCII):
        check_hosts(value)
        return value
    raise ValueError("must be a URL such as http://collector.example:4317, without user, password or query")


class TracingSettings(Section):
    """Spans of requests and background work, sent to an OpenTelemetry collector or to Jaeger."""

    enabled: bool = Field(default=False, description="Record traces and export them by OTLP")
    protocol: Literal["grpc", "http"] = Field(default="grpc", description="grpc, or http (protobuf, at /v1/traces)")
    endpoint: Annotated[str, BeforeValidator(_receiver)] = Field(
        default="http://127.0.0.1:4317",
        description="URL that spans are sent to. Use https for TLS. For http the port is usually 4318",
    )
    headers_file: Path | None = Field(
        default=None, description="File with headers for the receiver, one `Name: value` per line. They can be secret"
    )
    ca_file: Path | None = Field(
        default=None, description="Certificate authorities to trust for the receiver instead of the system's, PEM"
    )
    sample: float = Field(
        default=0.1, ge=0, le=1, allow_inf_nan=False, description="Share of new traces that is recorded, from 0 to 1"
    )
    follow_parent: bool = Field(
        default=True,
        description="Follow the sampling decision in a caller's `traceparent`. With false, `sample` decides",
    )
    queue: Whole = Field(
        default=8192,
        ge=512,
        le=1_000_000,
        description="Spans per worker that can wait to be sent. Further ones are dropped",
    )
    timeout: Wait = Field(default=5.0, description="Maximum seconds per export")
    service_name: Name = Field(default="strongroom", description="The name of this service in the traces")
