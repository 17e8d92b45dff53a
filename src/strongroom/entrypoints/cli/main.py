"""The `strongroom` command. Each command imports what it needs, so that `--help` is fast."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from strongroom import __version__
from strongroom.entrypoints.cli import administration, alerts, jwt, keys, output, reading, signing, tokens, wallets
from strongroom.entrypoints.cli import batches as _batches  # noqa: F401 - its commands are in groups of others
from strongroom.telemetry.scrubbing import scrub_text

_EPILOG: Final = f"""Commands on wallets call the server at STRONGROOM_URL (default: http://127.0.0.1:3000) with
STRONGROOM_API_KEY or STRONGROOM_API_KEY_FILE. The others use the settings of the service itself.

Exit codes: 1 refused, 2 wrong usage or settings, 3 the server or one of its components is unavailable.

{output.examples("serve", "wallet create --network ethereum", "address next $WALLET ethereum")}"""


@contextmanager
def _without_secrets() -> Iterator[None]:
    """Scrub errors about wrong arguments, which repeat them. They might be the words of a wallet."""
    try:
        yield
    except typer.TyperException as error:
        error.message = scrub_text(error.message)
        raise


class _Commands(TyperGroup):
    def make_context(self, *args: Any, **options: Any) -> Any:
        with _without_secrets():
            return super().make_context(*args, **options)

    def invoke(self, *args: Any, **options: Any) -> Any:
        with _without_secrets():
            return super().invoke(*args, **options)


app = typer.Typer(
    name="strongroom",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A self-hosted wallet service: HD wallets, addresses and signatures over REST and gRPC.",
    epilog=_EPILOG,
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"strongroom {__version__}")
        raise typer.Exit


@app.callback()
def strongroom(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A self-hosted wallet service: HD wallets, addresses and signatures over REST and gRPC."""


restore = typer.Typer(name="restore", no_args_is_help=True, help="Go on after the restore of a backup.")
config = typer.Typer(name="config", no_args_is_help=True, help="The settings of the service.")
for group in (wallets.wallet, wallets.address, wallets.account, signing.sign, signing.verify, signing.top,
              reading.balance, reading.history, reading.transaction, tokens.tokens,
              administration.network, administration.api_key, administration.revocation, administration.client_networks,
              jwt.jwt, administration.audit, administration.tasks, keys.keys, alerts.alerts,
              restore,
              config):  # fmt: skip
    app.add_typer(group)


@app.command()
def serve(
    heads: Annotated[
        Path | None, typer.Option(help="With audit.heads=log: file of heads to compare the database with.")
    ] = None,
) -> None:
    """Start the service: REST, gRPC and their documentation. On SIGTERM it finishes requests in flight and ends."""
    if heads is not None:
        from strongroom.config.environment import pass_on

        pass_on("AUDIT__KNOWN_HEADS", str(heads.absolute()))
    from strongroom.entrypoints.cli import start

    start.serve()


@app.command()
def migrate() -> None:
    """Migrate the database to this version's schema. With SQLite, `serve` does it."""
    from strongroom.entrypoints.cli import local

    local.migrate()


@signing.verify.callback(
    invoke_without_command=True,
    epilog=output.examples("verify", "verify --heads /mnt/elsewhere/audit-heads.jsonl --rate 2000"),
)
def verify(
    context: typer.Context,
    heads: Annotated[
        Path | None, typer.Option(help="File of heads kept outside the database. Default: that of audit.heads.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, max=1_000_000, help="Maximum rows per second.")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Without a command, check every row against its MAC and the audit. Exit code 1 if one does not match.

    With a command, verify a signature.
    """
    if context.invoked_subcommand is not None:
        return
    from strongroom.entrypoints.cli import integrity

    integrity.verify(heads, rate, as_json=as_json)


@restore.command(
    "accept",
    epilog=output.examples(
        "restore accept --after 'disk lost' --from ethereum:0x3535…=17 --reconciled evm --reconciled bitcoin"
    ),
)
def accept_restore(
    after: Annotated[str, typer.Option(help="What happened; the audit records it.")],
    from_: Annotated[
        list[str] | None,
        typer.Option(
            "--from", help="NETWORK:ADDRESS=N, where N is the lowest nonce that may be signed for that address."
        ),
    ] = None,
    floors: Annotated[Path | None, typer.Option(help="File with one such value per line.")] = None,
    reconciled: Annotated[
        list[str] | None,
        typer.Option(help="Chain (evm, bitcoin …) for which you compared all other addresses with the network."),
    ] = None,
    heads: Annotated[Path | None, typer.Option(help="File of heads, as for `audit verify`.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Allow signing again on a database that was restored from a backup. Say first what the chains know."""
    from strongroom.entrypoints.cli import integrity

    integrity.accept_restore(after, from_ or [], floors, reconciled or [], heads, as_json=as_json)


@app.command()
def health(as_json: Annotated[bool, typer.Option("--json", help="Print the server's response.")] = False) -> None:
    """Show the state of the server and its components. Exit code 3 if it is in error, or does not respond."""
    from strongroom.entrypoints.cli import client, failure

    report, well = client.health()
    output.show(report, as_json=as_json)
    if not well:
        raise typer.Exit(failure.UNAVAILABLE)


@config.command("check", epilog=output.examples("config check", "config check --connect"))
def check_config(
    connect: Annotated[
        bool, typer.Option("--connect", help="Try every component instead. Exit code 1 if one fails.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Show every setting, its value and its source. For a secret, show whether it is set."""
    from strongroom.entrypoints.cli import local

    if connect:
        local.check_components(as_json=as_json)
    else:
        local.check_config(as_json=as_json)
