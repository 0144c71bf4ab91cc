"""Bad settings: one clear sentence each, that names the setting, its source, the value and what is expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.settings import SettingsError, catalogue, load_settings


def problems(
    toml: Path | None = None, env: dict[str, str] | None = None, flags: dict[str, object] | None = None
) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(toml, env, flags)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


def write(folder: Path, toml: str) -> Path:
    path = folder / "modstream.toml"
    path.write_text(toml)
    return path


def test_a_value_out_of_bounds_is_named_with_its_variable_and_its_bounds() -> None:
    assert problems(env={"MODSTREAM_KAFKA__SESSION_TIMEOUT_MS": "3000"}) == (
        "kafka.session_timeout_ms = '3000' (environment variable MODSTREAM_KAFKA__SESSION_TIMEOUT_MS): "
        "expected a whole number from 6000 to 1800000",
    )


def test_a_value_of_the_wrong_type_in_a_file_is_named_with_file_and_key(tmp_path: Path) -> None:
    toml = write(tmp_path, '[http]\nport = "8080"\n')
    assert problems(toml) == (f"http.port = '8080' ({toml}, http.port): expected a whole number from 0 to 65535",)


def test_a_value_from_the_command_line_is_named_with_its_flag() -> None:
    assert problems(flags={"http.port": "eighty"}) == (
        "http.port = 'eighty' (flag --http-port): expected a whole number from 0 to 65535",
    )


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("MODSTREAM_GRUOP", "did you mean MODSTREAM_GROUP?"),
        ("MODSTREAM_KAFKA_BOOTSTRAP_SERVERS", "did you mean MODSTREAM_KAFKA__BOOTSTRAP_SERVERS?"),
        ("MODSTREAM_HTTP_PORT", "did you mean MODSTREAM_HTTP__PORT?"),
        ("MODSTREAM_ZZZZZZ", "`modstream config` lists them all"),
    ],
)
def test_an_unknown_variable_is_refused_with_a_suggestion(variable: str, hint: str) -> None:
    assert problems(env={variable: "8080"}) == (f"environment variable {variable}: there is no such setting; {hint}",)


def test_an_unknown_key_or_table_in_the_file_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    toml = write(tmp_path, "[worker]\ncomit_interval_ms = 5\n[kafak]\ngroup_protocol = 1\n")
    assert problems(toml) == (
        f"{toml}, worker.comit_interval_ms: there is no such setting; did you mean worker.commit_interval_ms?",
        f"{toml}, kafak: there is no such setting; did you mean kafka?",
    )


def test_an_unknown_flag_name_is_refused_with_a_suggestion() -> None:
    assert problems(flags={"topics.prefx": "x"}) == (
        "flag for topics.prefx: there is no such setting; did you mean topics.prefix?",
    )


def test_a_value_where_a_table_belongs_is_refused(tmp_path: Path) -> None:
    toml = write(tmp_path, "kafka = 5\n")
    assert problems(toml) == (f"kafka = 5 ({toml}): expected a table, [kafka], with settings in it",)


def test_a_table_where_a_value_belongs_is_refused(tmp_path: Path) -> None:
    toml = write(tmp_path, "[group]\nname = 'x'\n")
    assert problems(toml)[0].endswith("expected 1 to 100 letters, digits, '.', '_' and '-'")


def test_a_settings_file_that_is_missing_broken_or_not_text_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    assert problems(missing) == (f"settings file {missing} cannot be read: No such file or directory",)
    broken = write(tmp_path, "group = \n")
    assert problems(broken)[0].startswith(f"settings file {broken} is not valid TOML: ")
    assert "line 1" in problems(broken)[0]
    broken.write_bytes(b"group = '\xff'")
    assert problems(broken) == (f"settings file {broken} is not UTF-8 text (byte 9)",)


def test_all_problems_are_told_at_once() -> None:
    env = {"MODSTREAM_GROUP": "a b", "MODSTREAM_DELIVERY": "twice", "MODSTREAM_NOPE": "1"}
    assert len(problems(env=env)) == 3


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MODSTREAM_DELIVERY", "twice", "expected one of exactly_once, at_least_once"),
        ("MODSTREAM_TRACING__SAMPLE_RATIO", "nan", "expected a number from 0 to 1"),
        ("MODSTREAM_TRACING__SAMPLE_RATIO", "1e400", "expected a number from 0 to 1"),
        ("MODSTREAM_BREAKER__FAILURE_RATIO", "0", "expected a number above 0 and at most 1"),
        ("MODSTREAM_WORKER__MAX_IN_FLIGHT_BYTES", "1e9", "expected a whole number of at least 8388608"),
        ("MODSTREAM_TOPICS__PARTITIONS", "9" * 5000, "expected a whole number from 1 to 1000"),
        ("MODSTREAM_TOPICS__PREFIX", "a/b", "expected letters, digits, '.', '_' and '-', at most 200 of them"),
        ("MODSTREAM_KAFKA__BOOTSTRAP_SERVERS", "broker", "expected host:port"),
        ("MODSTREAM_KAFKA__BOOTSTRAP_SERVERS", "a:1\n", "expected host:port"),
        ("MODSTREAM_HTTP__HOST", " ", "expected a host name or an address"),
        ("MODSTREAM_TRACING__OTLP_ENDPOINT", "collector:4317", "expected an http or https address"),
    ],
)
def test_each_kind_of_value_says_what_it_must_be(variable: str, value: str, expected: str) -> None:
    (problem,) = problems(env={variable: value})
    assert expected in problem
    assert variable in problem


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ('{"group.id": "x"}', "group.id is not set here but with the setting group"),
        ('{"enable.auto.commit": true}', "enable.auto.commit cannot be set: exactly-once delivery and order"),
        ('{"client.rack": ["a"]}', "client.rack must be a text, a number, true or false"),
        ("client.rack=a", "expected a table of librdkafka properties (in the environment: a JSON object)"),
        ("[1]", "expected a table of librdkafka properties (in the environment: a JSON object)"),
    ],
)
def test_librdkafka_properties_that_delivery_rests_on_are_refused(extra: str, expected: str) -> None:
    (problem,) = problems(env={"MODSTREAM_KAFKA__EXTRA": extra})
    assert expected in problem


def test_a_long_value_is_quoted_in_part() -> None:
    (problem,) = problems(env={"MODSTREAM_GROUP": "x" * 100_000})
    assert len(problem) < 500


def test_sasl_needs_mechanism_user_name_and_password() -> None:
    env = {"MODSTREAM_KAFKA__SECURITY__PROTOCOL": "sasl_ssl", "MODSTREAM_KAFKA__SECURITY__USERNAME": "worker"}
    assert problems(env=env) == (
        "kafka.security.sasl_mechanism (default): is needed when kafka.security.protocol is sasl_ssl",
        "kafka.security.password (default): is needed when kafka.security.protocol is sasl_ssl",
    )


def test_credentials_that_would_not_be_used_are_refused(tmp_path: Path) -> None:
    assert problems(env={"MODSTREAM_KAFKA__SECURITY__PASSWORD": "s3cret"}) == (
        "kafka.security.password (environment variable MODSTREAM_KAFKA__SECURITY__PASSWORD): has no effect when "
        "kafka.security.protocol is plaintext: expected sasl_ssl (or sasl_plaintext) there, or nothing here",
    )
    (problem,) = problems(env={"MODSTREAM_KAFKA__SECURITY__CA_FILE": str(tmp_path)})
    assert "expected ssl (or sasl_ssl) there, or nothing here" in problem


def test_certificates_must_exist_and_come_with_their_key(tmp_path: Path) -> None:
    certificate = tmp_path / "client.pem"
    env = {
        "MODSTREAM_KAFKA__SECURITY__PROTOCOL": "ssl",
        "MODSTREAM_KAFKA__SECURITY__CERT_FILE": str(certificate),
    }
    assert problems(env=env) == (
        "kafka.security.cert_file (environment variable MODSTREAM_KAFKA__SECURITY__CERT_FILE): "
        f"there is no file {certificate}",
        "kafka.security.key_file (default): is needed beside kafka.security.cert_file",
    )


def test_timeouts_that_contradict_each_other_are_refused() -> None:
    env = {
        "MODSTREAM_KAFKA__SESSION_TIMEOUT_MS": "90000",
        "MODSTREAM_WORKER__COMMIT_INTERVAL_MS": "2000",
        "MODSTREAM_WORKER__TRANSACTION_TIMEOUT_MS": "2000",
    }
    first, second = problems(env=env)
    assert first.endswith("is 90000: expected at most kafka.max_poll_interval_ms, which is 60000")
    assert second.endswith("is 2000: expected less than worker.transaction_timeout_ms, which is 2000")


def test_engines_are_for_the_device_tensorrt_and_must_be_there(tmp_path: Path) -> None:
    env = {"MODSTREAM_WORKER__ENGINES": str(tmp_path), "MODSTREAM_WORKER__DEVICE": "cuda"}
    assert problems(env=env) == (
        "worker.engines (environment variable MODSTREAM_WORKER__ENGINES): has no effect when worker.device is cuda: "
        "expected tensorrt there, or nothing here",
    )
    missing = tmp_path / "engines"
    env = {"MODSTREAM_WORKER__ENGINES": str(missing), "MODSTREAM_WORKER__DEVICE": "tensorrt"}
    assert problems(env=env) == (
        f"worker.engines (environment variable MODSTREAM_WORKER__ENGINES): there is no folder {missing}",
    )


@pytest.mark.parametrize(
    ("name", "value", "post_s", "age_s"),
    [
        ("MODSTREAM_MEDIA__FETCH_TIMEOUT_S", "40", 300, 300),
        ("MODSTREAM_MEDIA__DECODE_TIMEOUT_S", "60", 300, 300),
        ("MODSTREAM_WORKER__TICKET_AGE_LIMIT_S", "120", 120, 120),
    ],
)
def test_media_may_not_take_longer_than_a_worker_may_seem_to_hang(
    name: str, value: str, post_s: int, age_s: int
) -> None:
    (problem,) = problems(env={name: value})
    assert name in problem
    assert f"is {post_s}: expected less than worker.ticket_age_limit_s, which is {age_s}" in problem


@given(name=st.sampled_from(sorted(catalogue())), text=st.text(min_size=1, max_size=40))
def test_any_text_is_either_a_value_or_one_problem_that_names_its_variable(name: str, text: str) -> None:
    entry = catalogue()[name]
    try:
        loaded = load_settings(env={entry.env: text})
    except SettingsError as error:
        assert entry.env in str(error) or name.startswith("kafka.security.")  # noqa: PT017 - either way is right
    else:
        assert loaded.sources[name].kind == "environment"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("MODSTREAM_MEDIA__ALLOWED_NETWORKS", "10.0.0.1/8", "no network"),
        ("MODSTREAM_MEDIA__ALLOWED_NETWORKS", "intranet", "no network"),
        ("MODSTREAM_MEDIA__CLOUD_PREFIXES", "bucket/folder", "s3://bucket/folder/"),
        ("MODSTREAM_MEDIA__CLOUD_PREFIXES", "https://bucket/", "s3://bucket/folder/"),
        ("MODSTREAM_MEDIA__CLOUD_PREFIXES", "s3://b/a//c/", "parts of its path are empty, `.` or `..`"),
        ("MODSTREAM_MEDIA__CLOUD_PREFIXES", "s3://b/../x", "parts of its path are empty, `.` or `..`"),
        ("MODSTREAM_MEDIA__FILE_ROOTS", "/no/such/folder", "there is no folder /no/such/folder"),
    ],
)
def test_places_of_media_that_make_no_sense_are_refused(name: str, value: str, told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(None, {name: value}, {})
    assert told in str(caught.value)
    assert name in str(caught.value)
