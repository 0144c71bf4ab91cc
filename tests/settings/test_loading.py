"""Where settings come from, and which source wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.settings import Delivery, SaslMechanism, Settings, StageBatch, catalogue, load_settings
from streams.settings.reading import read_value


def write(folder: Path, toml: str) -> Path:
    path = folder / "modstream.toml"
    path.write_text(toml)
    return path


def test_without_any_source_every_value_is_the_default() -> None:
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert set(loaded.sources) == set(catalogue())
    assert {source.kind for source in loaded.sources.values()} == {"default"}


@pytest.mark.parametrize("name", catalogue())
def test_every_default_would_be_accepted_if_somebody_wrote_it(name: str) -> None:
    entry = catalogue()[name]
    if entry.default is None:
        assert entry.optional
    else:
        assert read_value(entry, entry.default) == entry.default


def test_sources_rise_from_environment_over_file_to_flags(tmp_path: Path) -> None:
    toml = write(tmp_path, 'group = "from-file"\ndelivery = "at_least_once"\n')
    env = {"MODSTREAM_GROUP": "from-env", "MODSTREAM_DELIVERY": "exactly_once", "MODSTREAM_INSTANCE": "a"}
    loaded = load_settings(toml, env, {"group": "from-flag"})
    assert (loaded.settings.group, loaded.settings.delivery, loaded.settings.instance) == (
        "from-flag",
        Delivery.AT_LEAST_ONCE,
        "a",
    )
    assert str(loaded.sources["group"]) == "flag --group"
    assert str(loaded.sources["delivery"]) == f"{toml}, delivery"
    assert str(loaded.sources["instance"]) == "environment variable MODSTREAM_INSTANCE"
    assert loaded.sources["pack"].kind == "default"


def test_nested_names_have_two_underscores_in_the_environment_and_tables_in_the_file(tmp_path: Path) -> None:
    toml = write(tmp_path, "[batch.encode]\nmax_items = 32\n[breaker]\nwindow_s = 5\n")
    settings = load_settings(toml, {"MODSTREAM_BATCH__ENCODE__MAX_WAIT_MS": "2.5"}).settings
    assert settings.batch.encode == StageBatch(max_items=32, max_wait_ms=2.5)
    assert settings.batch.pack == StageBatch()
    assert settings.breaker.window_s == 5.0


def test_the_environment_can_name_the_file_and_a_flag_can_name_another(tmp_path: Path) -> None:
    named = write(tmp_path, 'group = "named"\n')
    other = tmp_path / "other.toml"
    other.write_text('group = "other"\n')
    env = {"MODSTREAM_CONFIG": str(named)}
    assert load_settings(env=env).settings.group == "named"
    assert load_settings(other, env).settings.group == "other"


def test_lists_have_commas_in_the_environment_and_are_arrays_in_the_file(tmp_path: Path) -> None:
    assert load_settings(env={"MODSTREAM_METRICS__TENANTS": "acme, umbrella"}).settings.metrics.tenants == (
        "acme",
        "umbrella",
    )
    toml = write(tmp_path, '[metrics]\nregions = ["EU"]\n')
    assert load_settings(toml).settings.metrics.regions == ("EU",)


def test_lists_of_numbers_hold_numbers_from_every_source(tmp_path: Path) -> None:
    env = {"MODSTREAM_MEDIA__ALLOWED_PORTS": "443, 8443"}
    assert load_settings(env=env).settings.media.allowed_ports == (443, 8443)
    toml = write(tmp_path, "[media]\nallowed_ports = [8443]\n")
    assert load_settings(toml).settings.media.allowed_ports == (8443,)


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("false", False)])
def test_switches_are_true_or_false(text: str, value: bool) -> None:
    assert load_settings(env={"MODSTREAM_MEDIA__ALLOW_HTTP": text}).settings.media.allow_http is value


def test_librdkafka_properties_are_a_json_object_in_the_environment_and_a_table_in_the_file(tmp_path: Path) -> None:
    env = {"MODSTREAM_KAFKA__EXTRA": '{"socket.keepalive.enable": true, "fetch.min.bytes": 5}'}
    assert load_settings(env=env).settings.kafka.extra == {"socket.keepalive.enable": "true", "fetch.min.bytes": "5"}
    toml = write(tmp_path, '[kafka.extra]\n"client.rack" = "a"\n')
    assert load_settings(toml).settings.kafka.extra == {"client.rack": "a"}


def test_choices_may_be_written_as_brokers_or_as_clients_write_them() -> None:
    security = {
        "MODSTREAM_KAFKA__SECURITY__PROTOCOL": "SASL_SSL",
        "MODSTREAM_KAFKA__SECURITY__SASL_MECHANISM": "scram-sha-512",
        "MODSTREAM_KAFKA__SECURITY__USERNAME": "worker",
        "MODSTREAM_KAFKA__SECURITY__PASSWORD": "s3cret",
    }
    settings = load_settings(env=security).settings
    assert settings.kafka.security.protocol == "sasl_ssl"
    assert settings.kafka.security.sasl_mechanism is SaslMechanism.SCRAM_SHA_512


def test_an_empty_variable_and_a_flag_that_was_not_given_are_not_set() -> None:
    loaded = load_settings(env={"MODSTREAM_INSTANCE": "", "MODSTREAM_CONFIG": ""}, flags={"group": None})
    assert loaded.settings == Settings()


def test_a_home_folder_may_be_written_with_a_tilde() -> None:
    assert load_settings(env={"MODSTREAM_STATE_DIR": "~/state"}).settings.state_dir == Path.home() / "state"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("MODSTREAM_SERVICE_HOST", "10.0.0.7"),
        ("MODSTREAM_SERVICE_PORT_HTTP", "8080"),
        ("MODSTREAM_PORT", "tcp://10.0.0.7:8080"),
        ("MODSTREAM_PORT_8080_TCP_ADDR", "10.0.0.7"),
        ("MODSTREAM_CONSOLE_SERVICE_HOST", "10.0.0.8"),
    ],
)
def test_what_kubernetes_says_of_a_service_of_our_name_is_no_setting(variable: str, value: str) -> None:
    assert load_settings(env={variable: value}).settings == Settings()


@pytest.mark.parametrize("servers", ["a:9092", "a.example:9092,b.example:9092", "[::1]:9092", "127.0.0.1:1"])
def test_brokers_are_named_by_host_and_port(servers: str) -> None:
    loaded = load_settings(env={"MODSTREAM_KAFKA__BOOTSTRAP_SERVERS": servers})
    assert loaded.settings.kafka.bootstrap_servers == servers
