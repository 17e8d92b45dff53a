"""Commands that call one operation of a running server."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final, ParamSpec

import typer

from strongroom.entrypoints.cli import failure, output

Fields = dict[str, Any]
P = ParamSpec("P")

COMMANDS: Final[dict[str, str]] = {}
"""The command of each operation, by the operation's name."""

AsJson = Annotated[bool, typer.Option("--json", help="Print the server's response.")]
EveryPage = Annotated[bool, typer.Option("--all", help="Fetch all pages instead of one.")]
IdempotencyKey = Annotated[
    str | None, typer.Option(help="Repeating the command with the same key returns the first response again.")
]


def operation(
    group: typer.Typer,
    name: str,
    calls: str,
    *,
    mutates: bool = False,
    examples: tuple[str, ...] = (),
    then: Callable[[str, Fields], str] | None = None,
    pages: str | None = None,
) -> Callable[[Callable[P, Fields | str]], Callable[P, Fields | str]]:
    """Make a command of a function that returns an operation's fields. Fields that are None are left out.

    A function that does the work itself, without a server, returns the response's JSON. ``then`` receives the response
    and the options, and returns what to show instead. ``pages`` names the list of a paged response.

    The command also has --json, --idempotency-key if the operation ``mutates``, and --all if it has pages.
    """
    COMMANDS[calls] = f"{group.info.name} {name}" if isinstance(group.info.name, str) else name

    def register(function: Callable[P, Fields | str]) -> Callable[P, Fields | str]:
        keyed = "idempotency_key" in inspect.signature(function).parameters

        @functools.wraps(function)
        def command(
            *args: Any, json: bool, idempotency_key: str | None = None, every_page: bool = False, **options: Any
        ) -> None:
            if keyed:  # it sends the key itself
                options["idempotency_key"] = idempotency_key
            answer = function(*args, **options)
            coins = None
            if not isinstance(answer, str):
                from strongroom.entrypoints.cli import client

                coins = client.coins
                if every_page and pages is not None:
                    answer = client.send_all(calls, answer, pages)
                else:
                    answer = client.send(calls, answer, idempotency_key)
                if then is not None:
                    answer = then(answer, options)
            output.show(answer, as_json=json, coins=coins)
            if output.has_failures(answer):
                raise typer.Exit(failure.REFUSED)

        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
        parameters.append(_option("json", AsJson, False))
        if mutates:
            parameters.append(_option("idempotency_key", IdempotencyKey, None))
        if pages is not None:
            parameters.append(_option("every_page", EveryPage, False))
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        group.command(name, epilog=output.examples(*examples))(command)
        return function

    return register


def _option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
