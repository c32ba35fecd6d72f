"""Settings: every bad one named at once, none ignored, all documented, no secret repeated."""

from pathlib import Path

import pytest

from controlplane.settings import Settings, read_settings, unknown

README = Path(__file__).parents[3] / "README.md"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"KUBESERVE_{name.upper()}", raising=False)
    monkeypatch.setenv("KUBESERVE_HOME", str(tmp_path))


def test_the_defaults_are_good(tmp_path: Path) -> None:
    settings = read_settings()
    assert settings.home == tmp_path
    assert (settings.host, settings.port) == ("127.0.0.1", 8080)
    assert settings.public_url == "http://127.0.0.1:8080"


def test_every_bad_setting_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {
        "KUBESERVE_LISTEN": "8080",
        "KUBESERVE_PORTS": "18999-18100",
        "KUBESERVE_ISSUER": "kube.example.com",
        "KUBESERVE_DATABASE_URL": "mysql://root:hunter2@host/db",
        "KUBESERVE_STORE": "https://key:hunter2@host/bucket",
        "KUBESERVE_SANDBOX": "off",
        "KUBESERVE_MAX_UPLOAD_BYTES": "0",
        "KUBESERVE_BUILD_WALL_S": "soon",
        "KUBESERVE_API_TOKEN_S": "1000000",
        "KUBESERVE_LISTENS": "127.0.0.1:1",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        read_settings()
    assert ended.value.code == 64
    said = capsys.readouterr().err
    assert sorted(line.partition(":")[0] for line in said.splitlines()) == sorted(bad)
    assert "KUBESERVE_LISTENS: there is no such setting; KUBESERVE_LISTEN?" in said
    assert "hunter2" not in said


def test_variables_of_the_sdk_and_of_kubernetes_are_no_settings() -> None:
    links = ("SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT", "PORT_80_TCP_ADDR", "API_SERVICE_HOST")
    assert unknown({f"KUBESERVE_{link}": "x" for link in links}) == []
    assert unknown({"KUBESERVE_URL": "x", "KUBESERVE_CLIENT_SECRET": "x", "OTHER": "x"}) == []


def test_secrets_are_not_shown() -> None:
    settings = Settings.model_validate(
        {"database_url": "postgres://u:hunter2@h/d", "store": "s3://k:hunter2@h/b"}
    )
    assert "hunter2" not in repr(settings)


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_readme_tells_of(name: str) -> None:
    assert f"_{name.upper()}`" in README.read_text()


def test_the_gateway_has_one_address_for_callers() -> None:
    def url(**values: object) -> str:
        return Settings.model_validate(values).gateway_url

    assert url() == "http://127.0.0.1:8081"
    assert url(gateway_listen="0.0.0.0:80", gateway_host="Kube.example.com") == (
        "http://kube.example.com"
    )
    assert url(gateway_listen="[::]:8081") == "http://[::1]:8081"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GATEWAY_LISTEN", "localhost:8081", "IP:PORT"),
        ("GATEWAY_LISTEN", "127.0.0.1:0", "IP:PORT"),
        ("GATEWAY_HOST", "kube.example.com:8081", "without port"),
        ("GATEWAY_HOST", "*.example.com", "host name"),
        ("GATEWAY_KEY", "key.pem", "together with KUBESERVE_GATEWAY_CERTIFICATE"),
    ],
)
def test_a_bad_gateway_is_named(
    name: str,
    value: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"KUBESERVE_{name}", value)
    with pytest.raises(SystemExit):
        read_settings()
    told = capsys.readouterr().err
    assert told.startswith(f"KUBESERVE_{name}: ")
    assert said in told


def test_a_certificate_without_its_own_key_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chain = tmp_path / "chain.pem"
    monkeypatch.setenv("KUBESERVE_GATEWAY_CERTIFICATE", str(chain))
    for key, said in ((None, "together"), (chain, "cannot be read"), (tmp_path, "no PEM")):
        if key is not None:
            monkeypatch.setenv("KUBESERVE_GATEWAY_KEY", str(key))
        if said == "no PEM":
            chain.write_text("no certificate")
        with pytest.raises(SystemExit):
            read_settings()
        told = capsys.readouterr().err
        assert told.startswith("KUBESERVE_GATEWAY_KEY: ")
        assert said in told
