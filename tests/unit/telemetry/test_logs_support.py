"""The support that keeps one test's logging out of the next one."""

from __future__ import annotations

import io

from structlog.testing import capture_logs

from strongroom.operations import pipeline
from strongroom.telemetry import logging
from tests.support.logs import as_they_were


def test_a_logger_that_was_used_while_ours_was_configured_is_captured_later() -> None:
    with as_they_were():
        logging.configure(stream=io.BytesIO())
        pipeline.log.info("then")
    with capture_logs() as captured:
        pipeline.log.info("now")
    assert [record["event"] for record in captured] == ["now"]
