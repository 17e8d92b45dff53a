"""`strongroom alerts`."""

from __future__ import annotations

import json
import time
from typing import Annotated, Final

import typer

from strongroom.entrypoints.cli import failure, options
from strongroom.entrypoints.cli.rest import Fields, operation

alerts = typer.Typer(name="alerts", no_args_is_help=True, help="Show, silence and test alerts.")

_PAUSE: Final = 0.5
_TRIES: Final = 60


@operation(alerts, "list", "alerts.list", pages="alerts", examples=("alerts list --state firing",))
def list_alerts(
    state: Annotated[str | None, typer.Option(help="Only alerts in this state: firing or ended.")] = None,
    cursor: options.Cursor = None,
    limit: options.PageSize = None,
) -> Fields:
    """List current and past alerts."""
    return {"state": state, "cursor": cursor, "limit": limit}


@operation(alerts, "notifications", "alerts.notifications", pages="notifications")
def list_notifications(cursor: options.Cursor = None, limit: options.PageSize = None) -> Fields:
    """List messages to the channels, newest first, with their results."""
    return {"cursor": cursor, "limit": limit}


@operation(
    alerts,
    "silence",
    "alerts.silence",
    mutates=True,
    examples=("alerts silence circuit vault --seconds 3600", "alerts silence circuit vault --seconds 0"),
)
def silence_alert(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="Name of the rule, such as circuit.")],
    subject: Annotated[str, typer.Argument(metavar="SUBJECT", help="Such as vault. Default: any.")] = "*",
    seconds: Annotated[int, typer.Option(min=0, max=604_800, help="Duration; 0 ends a silence.")] = 3600,
) -> Fields:
    """Silence an alert for a while."""
    return {"rule": rule, "subject": subject, "seconds": seconds}


def _arrival(answer: str, given: Fields) -> str:
    """Wait for each message and show its result. Exit code 1 if one did not arrive."""
    if not given["wait"]:
        return answer
    from strongroom.entrypoints.cli.client import send

    ids = {each["id"] for each in json.loads(answer)["notifications"]}
    for _ in range(_TRIES):
        page = json.loads(send("alerts.notifications", {"limit": 200}))
        sent = [each for each in page["notifications"] if each["id"] in ids]
        if all(each["state"] != "waiting" for each in sent):
            break
        time.sleep(_PAUSE)
    lost = [each for each in sent if each["state"] != "sent"]
    if lost:
        failure.fail(
            "; ".join(f"{each['channel']}: {each['state']}, {each['error']}" for each in lost), failure.REFUSED
        )
    return json.dumps({"notifications": sent})


@operation(alerts, "test", "alerts.test", mutates=True, examples=("alerts test", "alerts test slack"), then=_arrival)
def send_test(
    channel: Annotated[str | None, typer.Argument(metavar="CHANNEL", help="Such as slack. Default: all.")] = None,
    severity: Annotated[str, typer.Option(help="Severity: info, warning or critical.")] = "info",
    wait: Annotated[bool, typer.Option(help="Wait for delivery, at most half a minute.")] = True,  # noqa: ARG001
) -> Fields:
    """Send a test message to the channels, and wait until it arrives."""
    return {"channel": channel, "severity": severity}
