"""Commands that call one operation of a running server."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Annotated, Any, Final, ParamSpec

import typer

from strongroom.entrypoints.cli import output

Fields = dict[str, Any]
P = ParamSpec("P")

COMMANDS: Final[dict[str, str]] = {}
"""Operation by name: the command that calls it."""

AsJson = Annotated[bool, typer.Option("--json", help="Print what the server answered.")]
IdempotencyKey = Annotated[
    str | None, typer.Option(help="Repeating the command with the same key gives the first answer again.")
]


def operation(
    group: typer.Typer,
    name: str,
    calls: str,
    *,
    mutates: bool = False,
    examples: tuple[str, ...] = (),
    then: Callable[[str, Fields], str] | None = None,
) -> Callable[[Callable[P, Fields | str]], Callable[P, Fields | str]]:
    """Makes a command of a function that returns an operation's fields; None among them is left out.

    A function that has done it itself, without a server, returns the answer's JSON.

    ``then`` is given the answer and the options, and says what is shown in its place.

    The command has --json besides, and --idempotency-key where the operation ``mutates``.
    """
    COMMANDS[calls] = f"{group.info.name} {name}" if isinstance(group.info.name, str) else name

    def register(function: Callable[P, Fields | str]) -> Callable[P, Fields | str]:
        @functools.wraps(function)
        def command(*args: Any, json: bool, idempotency_key: str | None = None, **options: Any) -> None:
            answer = function(*args, **options)
            if not isinstance(answer, str):
                from strongroom.entrypoints.cli.client import send

                answer = send(calls, answer, idempotency_key)
                if then is not None:
                    answer = then(answer, options)
            output.show(answer, as_json=json)

        parameters = list(inspect.signature(function, eval_str=True).parameters.values())
        parameters.append(_option("json", AsJson, False))
        if mutates:
            parameters.append(_option("idempotency_key", IdempotencyKey, None))
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {each.name: each.annotation for each in parameters}
        group.command(name, epilog=output.examples(*examples))(command)
        return function

    return register


def _option(name: str, annotation: Any, default: object) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
