"""Waiting for a discovery, with a progress bar."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Final

from rich.console import Console

from strongroom.entrypoints.cli.rest import Fields

_PAUSE: Final = 1.0


def follow(answer: str, given: Fields) -> str:
    """Return the last response. The bar goes to standard error, so that standard output has only the result."""
    if not given["wait"]:
        return answer
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from strongroom.entrypoints.cli.client import send

    shown = json.loads(answer)
    asked = {"wallet_id": shown["wallet_id"], "discovery_id": shown["id"]}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("addresses"))
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("")
        while True:
            progress.update(
                bar, description=_said(shown), completed=shown["checked"], total=shown["checked"] + shown["budget"]
            )
            if shown["state"] != "running":
                return answer
            time.sleep(_PAUSE)
            answer = send("addresses.discovery", asked)
            shown = json.loads(answer)


def _said(shown: dict[str, Any]) -> str:
    branch = "change" if shown["change"] else "receiving"
    trouble = f", retrying: {shown['error']}" if shown["error"] else ""
    return f"{branch} {shown['index']}, {shown['used']} used{trouble}"
