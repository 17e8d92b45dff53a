"""Settings: where they come from, what is refused, and that no message shows a value."""

from __future__ import annotations

import pickle
import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from docs import configuration
from strongroom.config.client import load_client
from strongroom.config.sections import HttpSettings
from strongroom.config.settings import every_setting, load, load_with_sources
from strongroom.domain.rate import Rate
from strongroom.errors import ConfigurationError
from strongroom.operations.registry import OPERATIONS

SECRET = "correct horse battery"


def refusal(variables: dict[str, str], **options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(variables, **({"dotenv": None} | options))
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.message


def read(**variables: str) -> Any:
    return load({f"STRONGROOM_{name}": value for name, value in variables.items()}, dotenv=None)


def test_nothing_needs_to_be_set() -> None:
    settings = read()
    assert (settings.http.host, settings.http.port, settings.grpc.port) == ("127.0.0.1", 3000, 3001)
    assert settings.database.url.reveal() == "sqlite:///data/strongroom.db"
    assert settings.keywrap.key_file == Path("data/keywrap.key")
    assert settings.audit.heads == "file:data/audit-heads.jsonl"
    assert settings.profile == "embedded"


def test_what_lies_in_the_data_folder_follows_it() -> None:
    settings = read(DATA_DIR="/var/lib/{x}")
    assert settings.database.url.reveal() == "sqlite:////var/lib/{x}/strongroom.db"
    assert settings.keywrap.key_file == Path("/var/lib/{x}/keywrap.key")
    assert settings.audit.heads == "file:/var/lib/{x}/audit-heads.jsonl"


def test_variables_become_typed() -> None:
    settings = read(
        HTTP__PORT="8080",
        HTTP__METRICS_OPEN="true",
        SIGNER__TTL="0",
        PROXIES__TRUSTED="10.0.0.0/8, fd00::/8",
        RATES__SIGN="5000/10 minute",
        RATES__READ="off",
        SYMBOLS__TON="GRAM",
        SYMBOLS__TON_TESTNET="tGRAM",
        CHAINS__EVM__MAX_FEE="off",
        CHAINS__EVM__MAX_GAS="115792089237316195423570985008687907853269984665640564039457584007913129639935",
    )
    assert settings.http.port == 8080
    assert settings.http.metrics_open is True
    assert settings.signer.ttl == 0
    assert settings.proxies.trusted == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
    assert settings.rates.by_class()["sign"] == Rate(5000, 600, "5000/10 minute")
    assert "read" not in settings.rates.by_class()
    assert settings.chains == {"evm": {"max_fee": None, "max_gas": 2**256 - 1}}
    assert settings.symbols == {"ton": "GRAM", "ton-testnet": "tGRAM"}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HTTP__PORT", "30x00"),
        ("HTTP__PORT", "1_000"),
        ("HTTP__PORT", " 3000"),
        ("HTTP__PORT", "70000"),
        ("HTTP__PORT", "３０００"),
        ("HTTP__METRICS_OPEN", "perhaps"),
        ("HTTP__BODY_TIMEOUT", "nan"),
        ("HTTP__BODY_TIMEOUT", "-1"),
        ("PROXIES__TRUSTED", "0.0.0.0/0"),
        ("PROXIES__TRUSTED", "::/0"),
        ("PROXIES__TRUSTED", "10.0.0.1/8"),
        ("PROXIES__TRUSTED", "example.org"),
        ("RATES__SIGN", "quick"),
        ("RATES__SIGN", "0/hour"),
        ("CHAINS__EVM__MAX_FEE", "1e18"),
        ("CHAINS__EVM__MAX_FEE", "-1"),
        ("AUDIT__HEADS", "s3:bucket"),
        ("LOG__LEVEL", "LOUD"),
        ("HEALTH__REQUIRED", "database,moon"),
        ("REDIS__TIMEOUT", "-3"),
        ("REDIS__TIMEOUT", "1.5"),
        ("REDIS__POOL_SIZE", "0"),
        ("CACHE__ADDRESS", "90000000"),
        ("CACHE__MEMORY", "100"),
        ("PROFILE", "test"),
    ],
)
def test_a_bad_value_is_refused_by_the_name_of_its_variable_and_not_shown(variable: str, value: str) -> None:
    message = refusal({f"STRONGROOM_{variable}": value})
    assert message.startswith(f"STRONGROOM_{variable}: ")
    assert value not in message


def test_every_fault_is_told_at_once() -> None:
    message = refusal({"STRONGROOM_HTTP__PORT": "x", "STRONGROOM_LOG__LEVEL": "y"})
    assert "STRONGROOM_HTTP__PORT" in message
    assert "STRONGROOM_LOG__LEVEL" in message


@pytest.mark.parametrize(
    "name",
    [
        "STRONGROOM_HTPP__PORT",
        "STRONGROOM_PORT",
        "STRONGROOM_GRPC_PORT",
        "STRONGROOM_Log__level",
        "STRONGROOM_LOG__LEVEL_FILE",
        "STRONGROOM_NETWORKS",
    ],
)
def test_a_variable_that_is_no_setting_is_refused(name: str) -> None:
    assert refusal({name: "3000"}) == f"no such setting: {name}"


def test_what_kubernetes_sets_for_a_service_of_our_name_is_no_fault() -> None:
    links = {
        "STRONGROOM_SERVICE_HOST": "10.0.0.1",
        "STRONGROOM_SERVICE_PORT": "3000",
        "STRONGROOM_SERVICE_PORT_HTTP": "3000",
        "STRONGROOM_PORT": "tcp://10.0.0.1:3000",
        "STRONGROOM_PORT_3000_TCP": "tcp://10.0.0.1:3000",
        "STRONGROOM_PORT_3000_TCP_ADDR": "10.0.0.1",
        "STRONGROOM_GRPC_PORT": "tcp://10.0.0.2:3001",
    }
    assert repr(load(links, dotenv=None)) == repr(read())


def test_an_empty_variable_counts_as_not_set() -> None:
    assert repr(read(HTTP__PORT="", KEYWRAP__PASSPHRASE="", STRONG="")) == repr(read())


def test_secrets_do_not_show() -> None:
    url = f"postgresql://strongroom:{SECRET}@db/strongroom"
    settings = read(KEYWRAP__PASSPHRASE=SECRET, DATABASE__URL=url)
    assert settings.keywrap.passphrase.reveal() == SECRET
    assert settings.keywrap.key_file is None
    for text in (repr(settings), str(settings), repr(settings.model_dump())):
        assert SECRET not in text
    with pytest.raises(TypeError):
        pickle.dumps(settings)


def test_a_secret_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "passphrase"
    file.write_text(f" {SECRET}\n\n")
    assert read(KEYWRAP__PASSPHRASE_FILE=str(file)).keywrap.passphrase.reveal() == f" {SECRET}\n"


def test_a_secret_from_two_places_is_refused(tmp_path: Path) -> None:
    both = {"STRONGROOM_KEYWRAP__PASSPHRASE": SECRET, "STRONGROOM_KEYWRAP__PASSPHRASE_FILE": str(tmp_path / "x")}
    message = refusal(both)
    assert message == "STRONGROOM_KEYWRAP__PASSPHRASE and STRONGROOM_KEYWRAP__PASSPHRASE_FILE are both set: keep one"


def test_a_secret_file_that_is_missing_or_empty_is_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal({"STRONGROOM_KEYWRAP__PASSPHRASE_FILE": str(tmp_path / "none")})
    (tmp_path / "empty").write_text("\n")
    assert "must not be empty" in refusal({"STRONGROOM_KEYWRAP__PASSPHRASE_FILE": str(tmp_path / "empty")})


def test_passphrase_and_key_file_are_not_both_taken() -> None:
    message = refusal({"STRONGROOM_KEYWRAP__PASSPHRASE": SECRET, "STRONGROOM_KEYWRAP__KEY_FILE": "/x"})
    assert message == "keywrap: passphrase and key_file are both set: keep one"


def test_production_refuses_the_local_key_wrap_unless_it_is_allowed() -> None:
    assert "keywrap.allow_local" in refusal({"STRONGROOM_PROFILE": "production"})
    assert read(PROFILE="production", KEYWRAP__ALLOW_LOCAL="true").profile == "production"


def test_dotenv_lies_beneath_the_environment(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        "STRONGROOM_HTTP__PORT=4000\nSTRONGROOM_LOG__LEVEL=debug\nOTHER=1\nexport STRONGROOM_ANY_NETWORK='true'\n"
    )
    settings = load({"STRONGROOM_HTTP__PORT": "5000"}, dotenv=file)
    assert (settings.http.port, settings.log.level, settings.any_network) == (5000, "debug", True)


def test_toml_lies_beneath_both(tmp_path: Path) -> None:
    file = tmp_path / "strongroom.toml"
    file.write_text(
        """
        [http]
        port = 4000
        body_timeout = 5
        [chains.evm]
        max_fee = "1000000000000000000000"
        max_gas = "off"
        [[networks]]
        name = "mychain"
        chain = "evm"
        chain_id = 4711
        symbol = "MY"
        aliases = ["my"]
        limits = { max_fee = "off", max_gas = 100 }
        """
    )
    loaded = load_with_sources(
        {"STRONGROOM_CONFIG": str(file), "STRONGROOM_HTTP__PORT": "5000", "STRONGROOM_CHAINS__EVM__MAX_GAS": "7"},
        dotenv=None,
    )
    settings = loaded.settings
    assert (settings.http.port, settings.http.body_timeout) == (5000, 5.0)
    assert settings.chains == {"evm": {"max_fee": 10**21, "max_gas": 7}}
    (network,) = settings.networks
    assert (network.name, network.chain_id, network.decimals, network.limits) == (
        "mychain", 4711, 18, {"max_fee": None, "max_gas": 100},
    )  # fmt: skip
    assert loaded.sources[("http", "port")] == "STRONGROOM_HTTP__PORT"
    assert loaded.sources[("http", "body_timeout")] == str(file)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[http]\nprot = 1", "http.prot in FILE: there is no setting with this name"),
        ("[htpp]\nport = 1", "htpp in FILE: there is no setting with this name"),
        ("http = 1", "http in FILE: should be a valid dictionary or instance of HttpSettings"),
        ("[http]\nport = true", "http.port in FILE: must be a whole number in decimal digits"),
        ("[[networks]]\nname = 'X Y'\nchain = 'evm'\nchain_id = 1\nsymbol = 'A'",
         "networks.0.name in FILE: String should match pattern '^[a-z0-9][a-z0-9-]{0,62}$'"),
        ("[", "the file in STRONGROOM_CONFIG is not valid TOML"),
    ],
)  # fmt: skip
def test_a_bad_toml_file_is_refused_by_the_name_of_the_setting(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text(text)
    assert refusal({"STRONGROOM_CONFIG": str(file)}).replace(str(file), "FILE") == message


def test_a_toml_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    message = "the file in STRONGROOM_CONFIG cannot be read"
    assert refusal({"STRONGROOM_CONFIG": str(tmp_path / "none")}) == message


def test_a_variable_within_what_toml_says_is_no_table_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.toml"
    file.write_text("http = 1")
    message = refusal({"STRONGROOM_CONFIG": str(file), "STRONGROOM_HTTP__PORT": "1"})
    assert message.replace(str(file), "FILE") == "http in FILE must be a table"


def test_settings_do_not_change() -> None:
    with pytest.raises(ValidationError):
        read().http.port = 1
    assert isinstance(read().http, HttpSettings)


def test_every_limit_class_of_the_registry_has_a_rate() -> None:
    asked_besides = {"fresh"}
    assert {operation.limit for operation in OPERATIONS} | asked_besides == read().rates.by_class().keys()


def test_the_command_line_finds_its_server(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("sr_x\n")
    found = load_client({"STRONGROOM_API_KEY_FILE": str(tmp_path / "key")})
    assert found.url == "http://127.0.0.1:3000"
    assert found.api_key is not None
    assert found.api_key.reveal() == "sr_x"
    with pytest.raises(ConfigurationError, match="STRONGROOM_URL") as caught:
        load_client({"STRONGROOM_URL": f"http://me:{SECRET}@host"})
    assert SECRET not in caught.value.message


def test_the_documentation_is_what_make_docs_writes() -> None:
    document = configuration.DOCUMENT.read_text("utf-8")
    assert configuration.written(document) == document
    listed = [line.split("`")[1] for line in document.splitlines() if line.startswith("| `STRONGROOM_")]
    assert listed == [setting.variable for setting in every_setting()]


def test_every_default_that_is_printed_is_accepted() -> None:
    rows = re.findall(
        r"^\| `(STRONGROOM_\w+)` \| `([^`]+)` \|", configuration.DOCUMENT.read_text("utf-8"), re.MULTILINE
    )
    assert ("STRONGROOM_TASKS__VERIFY_AT", "03:00") in rows
    for variable, default in rows:
        load({variable: default}, dotenv=None)


@pytest.mark.parametrize(
    ("url", "more"),
    [
        ("http://cache:6379", {}),
        ("unix:///tmp/redis", {}),
        ("rediss://cache:6379/0?ssl_cert_reqs=none", {}),
        ("redis://cache/name", {}),
        ("redis:///0", {}),
        ("redis://someone:hunter2@cache:6379", {"PASSWORD": "hunter3"}),
        ("redis://someone@cache:6379", {"USERNAME": "other"}),
    ],
)
def test_a_redis_url_that_is_refused(url: str, more: dict[str, str]) -> None:
    message = refusal({f"STRONGROOM_REDIS__{name}": value for name, value in {"URL": url, **more}.items()})
    assert message.startswith("redis: ")
    assert "hunter" not in message
    assert url not in message


def test_a_redis_url_is_a_secret() -> None:
    settings = load({"STRONGROOM_REDIS__URL": "rediss://someone:hunter2@cache:6380/3"}, dotenv=None)
    assert settings.redis.enabled
    assert "hunter2" not in repr(settings)
