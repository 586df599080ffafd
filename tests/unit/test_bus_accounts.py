"""The NATS configuration grants a service its own facts only."""

from deploy.nats import CONFIG, config
from shared.bus.accounts import Env, render_server_config


def test_the_committed_configuration_is_the_one_that_the_code_makes() -> None:
    assert CONFIG.read_text() == config(), "run: python -m deploy.nats"


def test_passwords_are_quoted_or_taken_from_the_environment() -> None:
    text = render_server_config(
        host="127.0.0.1",
        port=4222,
        store='a "quoted" folder',
        services={"console": 'pass"word', "custody": Env("CUSTODY_PASSWORD")},
    )
    assert 'password: "pass\\"word"' in text
    assert "password: $CUSTODY_PASSWORD\n" in text
    assert 'store_dir: "a \\"quoted\\" folder"' in text
    assert "no_auth_user" not in text
