"""Certificates for what speaks inside a deployment.

Each server has an authority of its own, which signs once and whose key is then thrown away.
Whoever asks that server believes this authority alone, so that no other key, not even another
server's of the same deployment, can pass for it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

#: In the server's folder: its key and chain in one file, which is replaced whole, and what those
#: believe who ask it.
SERVER, TRUSTED = "server.pem", "trusted.crt"
VALID = timedelta(days=730)
#: One that ends sooner is made anew: a deployment is started more often than twice a year.
RENEWED_BEFORE = timedelta(days=180)
#: A clock somewhere in the deployment may be behind ours.
_BEHIND = timedelta(days=1)


def ends(folder: Path) -> datetime | None:
    """Until when the server's certificate holds (UTC), if there is one."""
    try:
        held = (folder / SERVER).read_bytes()
    except FileNotFoundError:
        return None
    return x509.load_pem_x509_certificate(held).not_valid_after_utc


def renew(folder: Path, names: Sequence[str], now: datetime) -> bool:
    """Make a server's certificate for ``names`` (host names or addresses), unless the one that is
    there holds for a while yet. Returns whether it was made.

    What was believed before is believed until it ends: the server goes on with its old certificate
    until it is started again, and those who ask it may be started before or after.
    """
    until = ends(folder)
    if until is not None and until - now > RENEWED_BEFORE:
        return False
    authority, authority_key = _authority(names[0], now)
    key = ec.generate_private_key(ec.SECP256R1())
    server = _server(names, key.public_key(), authority, authority_key, now)
    believed = [each for each in _believed(folder) if each.not_valid_after_utc > now]
    folder.mkdir(parents=True, exist_ok=True)
    # believed first: whoever asks must know the authority before the server shows what it signed
    _replace(folder / TRUSTED, 0o644, *map(_pem, (authority, *believed)))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _replace(folder / SERVER, 0o600, private, _pem(server), _pem(authority))
    return True


def _authority(name: str, now: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    called = _name(f"contact-service {name} {secrets.token_hex(4)}")
    subject_key = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = (
        _begun(called, called, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .add_extension(subject_key, critical=False)
    )
    return made.sign(key, hashes.SHA256()), key


def _server(
    names: Sequence[str],
    key: ec.EllipticCurvePublicKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    now: datetime,
) -> x509.Certificate:
    known_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _begun(_name(names[0]), authority.subject, key, now)
        .add_extension(x509.SubjectAlternativeName([_known_as(name) for name in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(known_by, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BEHIND)
        .not_valid_after(now + VALID)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=key_cert_sign,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _known_as(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _believed(folder: Path) -> list[x509.Certificate]:
    path = folder / TRUSTED
    return x509.load_pem_x509_certificates(path.read_bytes()) if path.exists() else []


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _replace(path: Path, mode: int, *parts: bytes) -> None:
    """Whole or not at all: a server may be starting."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(b"".join(parts))
    draft.chmod(mode)  # whatever the umask left of it
    draft.replace(path)
