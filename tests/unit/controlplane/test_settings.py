"""Settings: every bad one named at once, none ignored, all documented, no secret repeated."""

import base64
from pathlib import Path

import pytest

from controlplane.settings import EngineKind, Settings, read_settings, unknown

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


DIGEST = "registry.example/image@sha256:" + "0a" * 32
KNATIVE = {
    "KUBESERVE_ENGINE": "knative",
    "KUBESERVE_ISSUER": "https://kube.example.com",
    "KUBESERVE_RUNTIME_IMAGE": DIGEST,
    "KUBESERVE_BUILDER_IMAGE": DIGEST,
}


def faults(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.raises(SystemExit):
        read_settings()
    return capsys.readouterr().err.splitlines()


def test_knative_says_everything_it_needs_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBESERVE_ENGINE", "knative")
    assert [line.partition(":")[0] for line in faults(monkeypatch, capsys)] == [
        "KUBESERVE_ISSUER",
        "KUBESERVE_RUNTIME_IMAGE",
        "KUBESERVE_BUILDER_IMAGE",
    ]


def test_knative_takes_images_by_digest_or_when_tags_are_allowed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in KNATIVE.items():
        monkeypatch.setenv(name, value)
    assert read_settings().engine is EngineKind.KNATIVE
    monkeypatch.setenv("KUBESERVE_RUNTIME_IMAGE", "registry.example/image:1")
    (fault,) = faults(monkeypatch, capsys)
    assert fault.startswith("KUBESERVE_RUNTIME_IMAGE: must name the image by digest")
    monkeypatch.setenv("KUBESERVE_IMAGES_BY_TAG", "true")
    assert read_settings().runtime_image == "registry.example/image:1"


def test_tokens_are_not_handed_out_in_clear(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBESERVE_LISTEN", "0.0.0.0:8080")
    (fault,) = faults(monkeypatch, capsys)
    assert fault.startswith("KUBESERVE_ISSUER: must be https://")
    for good in ("https://kube.example.com", "http://localhost:8080", "http://127.0.0.1:1"):
        monkeypatch.setenv("KUBESERVE_ISSUER", good)
        assert read_settings().public_url == good
    monkeypatch.setenv("KUBESERVE_ISSUER", "http://kube.example.com")
    (fault,) = faults(monkeypatch, capsys)
    assert fault.startswith("KUBESERVE_ISSUER: must be https://")


def test_the_signing_secret_comes_from_a_variable_or_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    secret, file = bytes(range(32)), tmp_path / "secret"
    assert read_settings().signing_bytes is None
    for content in (secret, base64.b64encode(secret) + b"\n"):
        file.write_bytes(content)
        monkeypatch.setenv("KUBESERVE_SIGNING_SECRET_FILE", str(file))
        assert read_settings().signing_bytes == secret
    monkeypatch.setenv("KUBESERVE_SIGNING_SECRET", base64.b64encode(secret).decode())
    assert faults(monkeypatch, capsys)[0].startswith("KUBESERVE_SIGNING_SECRET_FILE: must not")
    monkeypatch.delenv("KUBESERVE_SIGNING_SECRET_FILE")
    assert read_settings().signing_bytes == secret
    monkeypatch.setenv("KUBESERVE_SIGNING_SECRET", "hunter2")
    (fault,) = faults(monkeypatch, capsys)
    assert fault.startswith("KUBESERVE_SIGNING_SECRET: must be the base64 of 32")
    assert "hunter2" not in fault


def test_faults_of_several_settings_repeat_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBESERVE_ADMIN_CLIENT_SECRET", "hunter2" * 5)
    (fault,) = faults(monkeypatch, capsys)
    assert fault.startswith("KUBESERVE_ADMIN_CLIENT_ID: must be given with")
    assert "hunter2" not in fault


@pytest.mark.parametrize(
    ("store", "address", "namespace"),
    [
        ("s3://k:s@minio.minio.svc.cluster.local:9000/b?insecure",
         "http://minio.minio.svc.cluster.local:9000", "minio"),
        ("s3://k:s@minio.storage.svc:9000/b", "https://minio.storage.svc:9000", "storage"),
        ("s3://k:s@s3.eu-west-1.amazonaws.com/b", "https://s3.eu-west-1.amazonaws.com", None),
        ("", None, None),
    ],
)  # fmt: skip
def test_pods_read_from_the_store_unless_told_otherwise(
    store: str, address: str | None, namespace: str | None
) -> None:
    settings = Settings.model_validate({"store": store} if store else {})
    assert (settings.fetch_address, settings.fetch_namespace) == (address, namespace)
    assert settings.bucket == ("b" if store else None)
    told = Settings.model_validate({"fetch_url": "http://store.example:1/"})
    assert told.fetch_address == "http://store.example:1"


@pytest.mark.parametrize(("given", "kept"), [("off", None), ("1", 1), ("99", 99), (None, 8)])
def test_environments_are_off_or_so_many(given: str | None, kept: int | None) -> None:
    settings = Settings.model_validate({} if given is None else {"environments": given})
    assert settings.environments_kept == kept


@pytest.mark.parametrize("given", ["on", "0", "100", "-1", "", "8.5", "off "])
def test_environments_are_nothing_else(
    given: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBESERVE_ENVIRONMENTS", given)
    (fault,) = faults(monkeypatch, capsys)
    assert fault.startswith("KUBESERVE_ENVIRONMENTS: must be off, or how many")


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("0.0.0.0:80", "http://127.0.0.1:80"),
        ("[::]:8080", "http://[::1]:8080"),
        ("10.0.0.7:8080", "http://10.0.0.7:8080"),
    ],
)
def test_this_machine_reaches_the_api_whatever_its_public_address(listen: str, url: str) -> None:
    settings = Settings.model_validate({"listen": listen, "issuer": "https://kube.test"})
    assert settings.local_url == url


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


def test_there_is_no_gateway_before_knative(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBESERVE_ENGINE", "knative")
    monkeypatch.setenv("KUBESERVE_GATEWAY", "true")
    with pytest.raises(SystemExit):
        read_settings()
    assert "KUBESERVE_GATEWAY: is of the embedded engine" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PROXIES", "my-proxy", "must be addresses or networks"),
        ("OIDC_ISSUER", "http://login.example.com", "must be https"),
        ("OIDC_ISSUER", "https://login.example.com?x=1", "must be https"),
        ("OIDC_ISSUER", "https://login.example.com", "must be given with"),
        ("OIDC_CLIENT_ID", "kubeserve", "must be given with"),
        ("OIDC_ALLOWED_DOMAINS", "example.com,@x", "must be domains"),
    ],
)
def test_what_people_sign_in_with_is_checked(
    name: str,
    value: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv(f"KUBESERVE_{name}", value)
    (fault,) = faults(monkeypatch, capsys)
    assert said in fault


@pytest.mark.parametrize(
    "value", ["*", "https://app.example.com/", "app.example.com", "https://App.example.com", "null"]
)
def test_what_is_no_origin_is_refused(
    value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KUBESERVE_CORS_ORIGINS", value)
    (said,) = faults(monkeypatch, capsys)
    assert said.startswith("KUBESERVE_CORS_ORIGINS: must be origins such as https://")


def test_origins_are_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_settings().origins == ()
    monkeypatch.setenv("KUBESERVE_CORS_ORIGINS", "https://a.example, http://localhost:3000")
    assert read_settings().origins == ("https://a.example", "http://localhost:3000")
