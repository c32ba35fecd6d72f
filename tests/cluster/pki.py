"""The cluster's own certificate authority and the kubeconfigs made with it."""

import base64
import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from tests.cluster.home import API_IP, API_PORT, NODE, NODE_IP, Home

VALID: Final = datetime.timedelta(days=30)
API_NAMES: Final = (
    *("kubernetes", "kubernetes.default", "kubernetes.default.svc"),
    *("kubernetes.default.svc.cluster.local", "localhost", "127.0.0.1", NODE_IP, API_IP),
)
USERS: Final = {
    "admin": ("admin", "system:masters"),
    "kcm": ("system:kube-controller-manager", None),
    "scheduler": ("system:kube-scheduler", None),
    "kproxy": ("system:kube-proxy", None),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
}


class Authority:
    """Signs with a key that never leaves this object; only its certificate is written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("kubeserve test cluster", None)
        builder = _builder(self._name, self._name, self._key.public_key()).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        self._write("ca", builder.sign(self._key, hashes.SHA256()), self._key)

    def issue(
        self, name: str, subject: str, group: str | None = None, names: Sequence[str] = ()
    ) -> None:
        """Write a key and a certificate for client and server use."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(subject, group), self._name, key.public_key())
        if names:
            alternatives = x509.SubjectAlternativeName(list(map(_general, names)))
            builder = builder.add_extension(alternatives, critical=False)
        self._write(name, builder.sign(self._key, hashes.SHA256()), key)

    def _write(
        self, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> None:
        (self._folder / f"{name}.crt").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
        )
        _write_key(self._folder / f"{name}.key", key)


def make(home: Home) -> None:
    """Write all keys, certificates and kubeconfigs of a cluster."""
    authority = Authority(home.pki)
    authority.issue("apiserver", "kube-apiserver", names=API_NAMES)
    authority.issue("front", "front-proxy")
    for user, (subject, group) in USERS.items():
        names = (NODE, NODE_IP, "127.0.0.1") if user == "kubelet" else ()
        authority.issue(user, subject, group, names)
        _kubeconfig(home.pki, user)
    # Tokens of service accounts: RS256 is what every client library takes.
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(home.pki / "sa.key", key)
    (home.pki / "sa.pub").write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )


def _kubeconfig(folder: Path, user: str) -> None:
    def embedded(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    path = folder / f"{user}.kubeconfig"
    path.touch(mode=0o600)
    path.write_text(f"""apiVersion: v1
kind: Config
clusters:
- name: test
  cluster:
    server: https://{NODE_IP}:{API_PORT}
    certificate-authority-data: {embedded("ca.crt")}
users:
- name: {user}
  user:
    client-certificate-data: {embedded(f"{user}.crt")}
    client-key-data: {embedded(f"{user}.key")}
contexts:
- name: test
  context: {{cluster: test, user: {user}}}
current-context: test
""")


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer,
        subject,
        key,
        x509.random_serial_number(),
        now - datetime.timedelta(hours=1),
        now + VALID,
    )


def _name(common: str, organisation: str | None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
