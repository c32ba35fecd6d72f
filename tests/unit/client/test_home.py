"""Whom the SDK signs in as, and that it never tells a secret to the wrong address."""

import json
import subprocess
import sys

import pytest

from controlplane.client.errors import NotConfigured
from controlplane.client.home import Account, find_account, home_folder
from runtime import api_keys

KEPT = {"url": "http://127.0.0.1:8080", "client_id": "kept", "client_secret": "s1", "tenant": "t"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    for name in (
        *("KUBESERVE_URL", "KUBESERVE_CLIENT_ID", "KUBESERVE_CLIENT_SECRET"),
        "KUBESERVE_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KUBESERVE_HOME", str(tmp_path))
    return tmp_path


def keep(home, document=KEPT):
    text = document if isinstance(document, str) else json.dumps(document)
    (home / "credentials.json").write_text(text)


def test_everything_is_found_in_the_home_folder(home):
    keep(home)
    assert find_account() == Account("http://127.0.0.1:8080", "kept", "s1")


def test_the_environment_goes_before_the_file_and_arguments_before_both(home, monkeypatch):
    keep(home)
    monkeypatch.setenv("KUBESERVE_URL", "https://kube.example/")
    monkeypatch.setenv("KUBESERVE_CLIENT_ID", "env")
    monkeypatch.setenv("KUBESERVE_CLIENT_SECRET", "s2")
    assert find_account() == Account("https://kube.example", "env", "s2")
    assert find_account("http://h", "arg", "s3") == Account("http://h", "arg", "s3")


def test_a_kept_secret_is_not_told_to_another_address(home):
    keep(home)
    assert find_account("http://127.0.0.1:8080/").client_secret == "s1"
    with pytest.raises(NotConfigured, match=r"are for http://127\.0\.0\.1:8080, not http://evil"):
        find_account("http://evil.example")


def test_a_kept_secret_is_not_used_for_another_client(home):
    keep(home)
    with pytest.raises(NotConfigured, match="no secret for client 'other'"):
        find_account(client_id="other")
    assert find_account(client_id="other", client_secret="s4").client_secret == "s4"


def test_secrets_are_not_shown(home):
    keep(home)
    assert "s1" not in repr(find_account())


def test_without_anything_it_says_what_to_do():
    with pytest.raises(NotConfigured, match="kubeserve up"):
        find_account()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"url": 3, "client_id": "a"}', "\x00"])
def test_a_file_that_is_none_is_said_so(home, text):
    keep(home, text)
    with pytest.raises(NotConfigured, match=r"credentials\.json"):
        find_account()


def test_the_home_folder_is_the_one_chosen(home, monkeypatch, tmp_path):
    assert home_folder() == home
    assert home_folder("/somewhere") == home_folder("/somewhere").absolute()
    monkeypatch.delenv("KUBESERVE_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert home_folder() == tmp_path / "data" / "kubeserve"


def test_the_sdk_loads_neither_server_nor_scikit_learn():
    heavy = ("sklearn", "scipy", "pandas", "fastapi", "tortoise", "uvicorn", "joblib", "pydantic")
    code = f"import kubeserve, sys; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_api_key_takes_the_place_of_a_client(monkeypatch):
    id_, secret = "0123456789abcdef", "s" * api_keys.SECRET_LENGTH
    key = api_keys.spelled(api_keys.Kind.API, id_, secret)
    wanted = Account("https://kube.example", f"ks_api_{id_}", key)
    assert find_account("https://kube.example", api_key=key) == wanted
    monkeypatch.setenv("KUBESERVE_API_KEY", key)
    assert find_account("https://kube.example") == wanted
    named = find_account("https://kube.example", "arg", "s3")
    assert named == Account("https://kube.example", "arg", "s3")
    for wrong, said in (
        (key[:-1], "mistyped"),
        (api_keys.spelled(api_keys.Kind.ENDPOINT, id_, secret), "for one endpoint"),
    ):
        with pytest.raises(NotConfigured, match=said):
            find_account("https://kube.example", api_key=wrong)
