"""The `strongroom` command. Heavy modules load in the command that needs them: `--help` is quick."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from typer.core import TyperGroup

from strongroom.entrypoints.cli import administration, keys, output, reading, signing, tokens, wallets
from strongroom.telemetry.scrubbing import scrub_text

_EPILOG: Final = f"""Commands on wallets call the server of STRONGROOM_URL (http://127.0.0.1:3000 where it is not set)
with STRONGROOM_API_KEY or STRONGROOM_API_KEY_FILE. The others use the settings of the service itself.

Exit codes: 1 refused, 2 wrong usage or settings, 3 the server or a part of it is away.

{output.examples("serve", "wallet create --network ethereum", "address next $WALLET ethereum")}"""


@contextmanager
def _without_secrets() -> Iterator[None]:
    """What is said of wrong arguments repeats them: words that somebody took for arguments, say."""
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
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A self-hosted wallet service: HD wallets, addresses and signatures over REST and gRPC.",
    epilog=_EPILOG,
)
restore = typer.Typer(name="restore", no_args_is_help=True, help="After a backup was put back.")
config = typer.Typer(name="config", no_args_is_help=True, help="The settings of the service.")
for group in (wallets.wallet, wallets.address, wallets.account, signing.sign, signing.verify, signing.top,
              reading.balance, reading.history, reading.transaction, tokens.tokens,
              administration.network, administration.api_key, administration.audit, administration.tasks, keys.keys,
              restore,
              config):  # fmt: skip
    app.add_typer(group)


@app.command()
def serve(
    heads: Annotated[
        Path | None, typer.Option(help="With audit.heads=log: heads from the log, to compare the database with.")
    ] = None,
) -> None:
    """Start the service: REST, gRPC and their documentation. SIGTERM ends it when all that is in flight is done."""
    if heads is not None:
        from strongroom.config import pass_on

        pass_on("AUDIT__KNOWN_HEADS", str(heads.absolute()))
    from strongroom.entrypoints.cli import start

    start.serve()


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version. SQLite does this by itself when it serves."""
    from strongroom.entrypoints.cli import local

    local.migrate()


@signing.verify.callback(
    invoke_without_command=True,
    epilog=output.examples("verify", "verify --heads /mnt/elsewhere/audit-heads.jsonl --rate 2000"),
)
def verify(
    context: typer.Context,
    heads: Annotated[
        Path | None, typer.Option(help="Heads that were kept outside the database; those of audit.heads if left out.")
    ] = None,
    rate: Annotated[int, typer.Option(min=1, max=1_000_000, help="Rows a second at most.")] = 5_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Without a command: hold every row against its MAC and the audit; exit 1 if one was changed, deleted or put back.

    With one: verify a signature.
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
    after: Annotated[str, typer.Option(help="What happened; it stands in the audit.")],
    from_: Annotated[
        list[str] | None, typer.Option("--from", help="NETWORK:ADDRESS=N, the lowest nonce that may be signed there.")
    ] = None,
    floors: Annotated[Path | None, typer.Option(help="A file of such lines.")] = None,
    reconciled: Annotated[
        list[str] | None, typer.Option(help="Chain (evm, bitcoin …) whose other addresses you compared with the chain.")
    ] = None,
    heads: Annotated[Path | None, typer.Option(help="Heads as `audit verify` takes them.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Allow signing again on a database that was put back from a backup. Say first what the chains know."""
    from strongroom.entrypoints.cli import integrity

    integrity.accept_restore(after, from_ or [], floors, reconciled or [], heads, as_json=as_json)


@app.command()
def health(as_json: Annotated[bool, typer.Option("--json", help="Print what the server answered.")] = False) -> None:
    """Show how the server and its components are. Exit code 3 where it is in error, or does not answer."""
    from strongroom.entrypoints.cli import client, failure

    report, well = client.health()
    output.show(report, as_json=as_json)
    if not well:
        raise typer.Exit(failure.UNAVAILABLE)


@config.command("check")
def check_config(as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False) -> None:
    """Show every setting, its value and where it comes from; of a secret, whether it is set."""
    from strongroom.entrypoints.cli import local

    local.check_config(as_json=as_json)
