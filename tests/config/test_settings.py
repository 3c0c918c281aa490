"""Twin of proxy_addon/config/settings.py: precedence, places and one clear line for each
mistake."""

from __future__ import annotations

import os
from ipaddress import ip_address
from pathlib import Path

import pytest
from pydantic import ValidationError

from proxy_addon.config.parsers import HostPort
from proxy_addon.config.settings import Settings, SettingsError, load_settings, unknown_variables


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Each test works in an empty folder, with none of our variables in the environment."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("ALLOWANCE_")]:
        monkeypatch.delenv(name)


def problems(overrides=None, config=None) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        load_settings(overrides or {}, config)
    return caught.value.problems


def test_defaults_are_the_contract():
    """Without flags, environment and file the proxy is where the contract says."""
    settings = load_settings()
    assert settings.rules == Path("rules")
    assert settings.database == "sqlite:///var/allowance.db"
    assert settings.listen == HostPort("", 8080)
    assert settings.web == HostPort("127.0.0.1", 8081)
    assert (settings.workers, settings.sign_in, settings.connect_ports) == (1, "auto", (443,))
    assert (settings.flush, settings.drain) == (1.0, 10.0)


@pytest.mark.parametrize(
    ("address", "served"),
    [
        ("10.1.2.3", True),
        ("172.31.0.1", True),
        ("192.168.1.1", True),
        ("127.0.0.1", True),
        ("::1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("172.32.0.1", False),
        ("8.8.8.8", False),
        ("2001:db8::1", False),
    ],
)
def test_default_networks_are_private(address, served):
    """By default private networks and loopback are served, the internet is not."""
    networks = load_settings().client_networks
    assert any(ip_address(address) in network for network in networks) is served


def test_flag_beats_environment_beats_file(monkeypatch, tmp_path):
    """Of three places that name a value the flag wins, then the environment, then the file."""
    (tmp_path / "allowance.toml").write_text('workers = 2\nflush = "2s"\ndrain = 3\n')
    monkeypatch.setenv("ALLOWANCE_WORKERS", "3")
    monkeypatch.setenv("ALLOWANCE_FLUSH", "3s")
    settings = load_settings({"workers": 4, "flush": None})
    assert (settings.workers, settings.flush, settings.drain) == (4, 3.0, 3.0)


def test_config_file_is_the_flag_then_the_environment_then_the_folder(monkeypatch, tmp_path):
    """`--config` wins over `ALLOWANCE_CONFIG`, and that over `allowance.toml` of the working
    folder."""
    for number, name in enumerate(("allowance.toml", "environment.toml", "flag.toml"), start=1):
        (tmp_path / name).write_text(f"workers = {number}\n")
    assert load_settings().workers == 1
    monkeypatch.setenv("ALLOWANCE_CONFIG", "environment.toml")
    assert load_settings().workers == 2
    assert load_settings({}, Path("flag.toml")).workers == 3


def test_lists_come_from_every_place(monkeypatch, tmp_path):
    """A repeatable setting is an array in TOML, a comma list in the environment, and a list of
    flags."""
    (tmp_path / "allowance.toml").write_text('front-proxies = ["10.0.0.1", "10.1.0.0/16"]\n')
    monkeypatch.setenv("ALLOWANCE_CONNECT_PORTS", "443, 8443")
    settings = load_settings(
        {"resolve": ["x.com:443=127.0.0.1:1", "y.com:443=[::1]:2"], "allow_targets": []}
    )
    assert [str(each) for each in settings.front_proxies] == ["10.0.0.1/32", "10.1.0.0/16"]
    assert settings.connect_ports == (443, 8443)
    assert [each.host for each in settings.resolve] == ["x.com", "y.com"]
    assert settings.allow_targets == ()


def test_empty_variable_is_no_value(monkeypatch):
    """An environment variable that is set and empty, as compose files produce it, leaves the
    default."""
    monkeypatch.setenv("ALLOWANCE_UPSTREAM_PROXY", "")
    assert load_settings().upstream_proxy is None


def test_unknown_key_is_located_with_a_suggestion(tmp_path):
    """A key that nobody knows is an error with file, line and the key that was probably meant."""
    (tmp_path / "allowance.toml").write_text('# office\n\nlistn = ":1"\n[zzz]\na = 1\n')
    unknown, table = problems()
    assert unknown == "allowance.toml:3: listn: unknown key; did you mean listen?"
    assert table.startswith("allowance.toml:4: zzz: unknown key; known keys: rules, strict,")


def test_same_key_in_both_spellings(tmp_path):
    """`sign-in` and `sign_in` are one key, so both at once are an error."""
    (tmp_path / "allowance.toml").write_text('sign-in = "off"\nsign_in = "off"\n')
    assert problems() == ("allowance.toml:2: sign_in: is there twice, with - and with _; keep one",)


@pytest.mark.parametrize(
    ("field", "value", "remedy"),
    [
        ("listen", "0.0.0.0", "write HOST:PORT"),
        ("web", "localhost:http", "write HOST:PORT"),
        ("workers", "0", "write a whole number from 1 to 64"),
        ("workers", "two", "write a whole number from 1 to 64"),
        ("sign_in", "yes", "write one of auto, required, optional, off"),
        ("upstream_proxy", "proxy:3128", "write http://HOST:PORT"),
        ("upstream_ca", "nowhere.pem", "No such file or directory"),
        ("resolve", "x.com", "write HOST:PORT=ADDRESS:PORT"),
        ("client_networks", "10.0.0.1/8", "write 10.0.0.0/8"),
        ("client_networks", "office", "write an IP address or a network"),
        ("connect_ports", "443,0", "write a whole number from 1 to 65535"),
        ("allow_targets", "a b/c", "write"),
        ("front_proxies", "proxy.example", "write an IP address or a network"),
        ("front_proxy_header", "X Forwarded", "write the name of an HTTP header"),
        ("flush", "1 day", "write a time such as"),
        ("drain", "2h", "write a time such as"),
        ("log_format", "xml", "write one of auto, json, console"),
        ("log_level", "loud", "write one of debug, info, warning, error"),
        ("database", "mysql://x", "write sqlite:///var/allowance.db"),
        ("rules", "a\0b", "write the path of a file or folder"),
    ],
)
def test_bad_value_is_one_line(monkeypatch, field, value, remedy):
    """A value that cannot be right gives one line: place, field, value, and what would be right."""
    (line,) = problems({field: value})
    assert line.startswith(f"--{field.replace('_', '-')}: {value!r}:")
    assert remedy in line
    assert "\n" not in line
    if "\0" not in value:
        monkeypatch.setenv(f"ALLOWANCE_{field.upper()}", value)
        (line,) = problems()
        assert line.startswith(f"ALLOWANCE_{field.upper()}: {field}: ")


def test_all_problems_at_once(monkeypatch, tmp_path):
    """Every mistake of every place is told in one go."""
    (tmp_path / "allowance.toml").write_text('colour = "blue"\nflush = "x"\n')
    monkeypatch.setenv("ALLOWANCE_WORKERS", "x")
    found = problems({"listen": "x"})
    assert {line.split(":")[0] for line in found} == {
        "allowance.toml",
        "ALLOWANCE_WORKERS",
        "--listen",
    }
    assert len(found) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"workers = \n", "allowance.toml:1:11: is not TOML: Invalid value"),
        (
            b"workers = 1\nworkers = 2\n",
            "allowance.toml:2:12: is not TOML: Cannot overwrite a value",
        ),
        (b"\xff\xfe", "allowance.toml: is not UTF-8 text; save it as UTF-8"),
    ],
)
def test_broken_file(tmp_path, content, message):
    """A file that is not TOML is named, with the place where it stops being it."""
    (tmp_path / "allowance.toml").write_bytes(content)
    assert problems() == (message,)


def test_missing_config(tmp_path):
    """A settings file that was asked for has to be there."""
    (line,) = problems({}, tmp_path / "no.toml")
    assert line.endswith(
        "no.toml: cannot be read: No such file or directory; check the path given as --config"
    )


def test_file_saved_on_windows(tmp_path):
    """A byte order mark and Windows line ends do no harm."""
    (tmp_path / "allowance.toml").write_bytes(b"\xef\xbb\xbfworkers = 2\r\n")
    assert load_settings().workers == 2


def test_no_credentials_in_texts():
    """Passwords in URLs are neither in the representation of settings nor in error messages."""
    settings = load_settings(
        {
            "upstream_proxy": "http://ann:hunter2@proxy:1",
            "database": "postgresql://ann:hunter2@db/x",
        }
    )
    assert "hunter2" not in repr(settings) + str(settings)
    assert "hunter2" not in "".join(problems({"upstream_proxy": "htp://ann:hunter2 @proxy:1"}))
    assert "hunter2" not in "".join(problems({"database": "mysql://ann:hunter2@db/x"}))


def test_frozen():
    """Settings do not change after they have been loaded."""
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().workers = 2


def test_unknown_override_is_reported():
    """A flag of a name that no setting has is a mistake in a command, and says so."""
    assert problems({"listn": 1}) == ("--listn: listn: unknown setting; did you mean listen?",)


def test_environment_does_not_reach_a_direct_construction(monkeypatch):
    """`Settings(...)` in code takes nothing from outside: only `load_settings` does."""
    monkeypatch.setenv("ALLOWANCE_WORKERS", "9")
    assert Settings().workers == 1


def test_unknown_variables_are_pointed_out():
    """A misspelt variable is found, with the setting that was meant; ours and others' are left
    alone."""
    environment = {
        "ALLOWANCE_LISTN": "",
        "ALLOWANCE_LISTEN": "",
        "ALLOWANCE_CONFIG": "",
        "HOME": "",
    }
    assert unknown_variables(environment) == [
        "ALLOWANCE_LISTN: is not a setting; did you mean listen?"
    ]


def test_strict_and_state(monkeypatch):
    """Off and `var` unless somebody says so, in any of the ways."""
    assert (load_settings().strict, load_settings().state) == (False, Path("var"))
    assert load_settings({"strict": True, "state": "elsewhere"}).state == Path("elsewhere")
    monkeypatch.setenv("ALLOWANCE_STRICT", "yes")
    assert load_settings().strict is True
    assert problems({"strict": "maybe"}) == ("--strict: 'maybe': write true or false",)
