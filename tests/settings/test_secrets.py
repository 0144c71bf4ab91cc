"""Secrets are seen nowhere but where they are used."""

from __future__ import annotations

import pytest

from streams.settings import Overrides, Secret, SettingsError, load_settings, shown

SASL = {
    "MODSTREAM_KAFKA__SECURITY__PROTOCOL": "sasl_ssl",
    "MODSTREAM_KAFKA__SECURITY__SASL_MECHANISM": "PLAIN",
    "MODSTREAM_KAFKA__SECURITY__USERNAME": "worker",
    "MODSTREAM_KAFKA__SECURITY__PASSWORD": "hunter2",
    "MODSTREAM_KAFKA__EXTRA": '{"ssl.key.password": "hunter2", "client.rack": "a"}',
}


def test_no_representation_of_the_settings_shows_a_secret() -> None:
    loaded = load_settings(env=SASL)
    password = loaded.settings.kafka.security.password
    assert password is not None
    assert password.reveal() == "hunter2"
    assert loaded.settings.kafka.extra["ssl.key.password"] == "hunter2"
    for text in (repr(loaded), str(loaded.settings), f"{password}", f"{password!r}", repr(loaded.settings.kafka.extra)):
        assert "hunter2" not in text


def test_what_is_shown_to_a_person_has_stars_for_secrets_only() -> None:
    assert shown(Secret("hunter2")) == "********"
    properties = Overrides({"ssl.key.password": "x", "sasl.oauthbearer.client.secret": "x", "ssl.key.pem": "x"})
    assert set(shown(properties).values()) == {"********"}
    assert shown(Overrides({"client.rack": "a", "ssl.key.location": "/k"})) == {
        "client.rack": "a",
        "ssl.key.location": "/k",
    }


@pytest.mark.parametrize("text", ['{"sasl.password": "hunter2"}', '{"ssl.key.password": ["hunter2"]}', "hunter2"])
def test_no_error_about_a_secret_shows_it(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(env={**SASL, "MODSTREAM_KAFKA__EXTRA": text})
    assert "hunter2" not in str(caught.value)
    with pytest.raises(SettingsError) as caught:
        load_settings(env={**SASL, "MODSTREAM_KAFKA__EXTRA": ""}, flags={"kafka.security.password": ["hunter2"]})
    assert "hunter2" not in str(caught.value)


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
