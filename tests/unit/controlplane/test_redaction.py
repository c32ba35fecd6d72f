import pytest

from controlplane.redaction import MOST, redacted

SECRETS = [
    "authorization: Bearer {}",
    "postgresql://kubeserve:{}@db/kubeserve",
    "AWS_SECRET_ACCESS_KEY={}",
    '{{"password": "{}"}}',
    "https://minio/b/k?X-Amz-Credential=AKIA&X-Amz-Signature={}&x=1",
    "client_secret: {}",
]


@pytest.mark.parametrize("text", SECRETS)
def test_a_credential_is_hidden(text: str) -> None:
    shown = redacted(text.format("s3cr3tS3cr3tS3cr3t"))
    assert "s3cr3t" not in shown
    assert "[hidden]" in shown


def test_a_token_and_an_access_key_are_hidden() -> None:
    shown = redacted("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl AKIAIOSFODNN7EXAMPLE")
    assert shown == "eyJ[hidden] AKIAIOSF[hidden]"


@pytest.mark.parametrize(
    "text",
    [
        'MountVolume.SetUp failed for volume "artifact" : secret "iris-artifact-1" not found',
        "exceeded quota: q, requested: secrets=1, used: secrets=5, limited: secrets=5",
        "ValueError: X has 3 features, but LogisticRegression is expecting 4",
    ],
)
def test_what_kubernetes_says_stays(text: str) -> None:
    assert redacted(text) == text


def test_a_flood_is_cut() -> None:
    assert len(redacted("x" * 10 * MOST)) == MOST
