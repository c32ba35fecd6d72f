"""Amazon's own example of a signed GET of an object."""

from datetime import UTC, datetime

from runtime.signing import Credentials, signed

WHO = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
AT = datetime(2013, 5, 24, tzinfo=UTC)


def test_the_example_of_the_reference():
    headers = signed(
        "examplebucket.s3.amazonaws.com", "/test.txt", "us-east-1", WHO, AT, {"Range": "bytes=0-9"}
    )
    assert headers["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_session_token_is_signed_too():
    temporary = Credentials(WHO.access_key, WHO.secret_key, "token")
    headers = signed("host", "/a b/ü", "us-east-1", temporary, AT, {})
    assert headers["x-amz-security-token"] == "token"
    assert "x-amz-security-token" in headers["authorization"]


def test_secrets_are_not_shown():
    assert WHO.secret_key not in repr(WHO)
