"""A certificate for what serves HTTPS on this machine, and the authority that whoever calls it trusts."""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM files: what a server is given, and what its callers have to trust."""

    chain: Path
    key: Path
    authority: Path


def loopback_certificate(folder: Path) -> Certificate:
    """Write a certificate for `localhost` and 127.0.0.1 into `folder`."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    certificate = Certificate(folder / "chain.pem", folder / "key.pem", folder / "authority.pem")
    certificate.chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    certificate.key.write_bytes(issued.private_key_pem.bytes())
    certificate.authority.write_bytes(authority.cert_pem.bytes())
    return certificate
