"""Arguments and options that several commands share, and functions that read secrets and documents."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from strongroom.entrypoints.cli import failure
from strongroom.telemetry.scrubbing import looks_like_secret

WalletId = Annotated[str, typer.Argument(metavar="WALLET", help="Id of the wallet.")]
Network = Annotated[str, typer.Argument(help="Network by name, alias or CAIP-2 id.")]
Address = Annotated[str, typer.Argument(help="Address in the network's notation.")]
Scheme = Annotated[str | None, typer.Option(help="Derivation scheme. Default: the network's.")]
Account = Annotated[int | None, typer.Option(min=0, help="Account number of the scheme.")]
Change = Annotated[int | None, typer.Option(min=0, max=1, help="0 receiving, 1 change.")]
Index = Annotated[int | None, typer.Option(min=0, help="Address index.")]
KeyPath = Annotated[str | None, typer.Option(help="Explicit path, such as m/44'/60'/0'/0/7.")]
FromAddress = Annotated[str | None, typer.Option("--address", help="Address whose key signs.")]
Label = Annotated[str | None, typer.Option(help="Label, for people.")]
ExternalId = Annotated[str | None, typer.Option(help="Your own id for it.")]
Cursor = Annotated[str | None, typer.Option(help="Continue after the previous page.")]
PageSize = Annotated[int | None, typer.Option("--limit", min=1, max=200, help="Entries per page.")]
Encoding = Annotated[str, typer.Option(help="Encoding of MESSAGE: text, or hex for bytes.")]
Document = Annotated[str, typer.Argument(help="The text itself, @FILE, or - for standard input.")]


def pairs(given: list[str] | None) -> dict[str, str]:
    """Parse texts of the form ``NAME=VALUE``. Ends the program if one has another form."""
    found = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals:
            failure.fail("must be written as NAME=VALUE", failure.USAGE)
        found[name] = value
    return found


def read_text(given: str) -> str:
    """The argument itself, the content of the file in ``@FILE``, or standard input for ``-``."""
    if given == "-" or given.startswith("@"):
        return as_text(read_bytes(given))
    return given


def read_bytes(given: str) -> bytes:
    """Like `read_text`, for a document that may be binary."""
    if given == "-":
        return sys.stdin.buffer.read()
    return _read_file(Path(given[1:])) if given.startswith("@") else given.encode()


def as_text(raw: bytes) -> str:
    """Decode and strip. Ends the program if it is not UTF-8."""
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        failure.fail("must be UTF-8 text", failure.USAGE)


def read_document(given: str) -> Any:
    """Parse JSON. Ends the program if it is not valid."""
    try:
        return json.loads(read_text(given))
    except ValueError:
        failure.fail("must be a JSON document", failure.USAGE)


def read_secret(what: str, file: Path | None) -> str:
    """Read from a file, a prompt without echo, or standard input. Never from an argument, which other users can see."""
    if file is not None:
        text = as_text(_read_file(file))
    elif sys.stdin.isatty():
        text = str(typer.prompt(what, hide_input=True))
    else:
        text = sys.stdin.read()
    if not text.strip():
        failure.fail(f"{what.lower()}: the input is empty", failure.USAGE)
    return text.strip()


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        name = "the file" if looks_like_secret(str(path)) else str(path)
        failure.fail(f"{name} cannot be read", failure.USAGE)
