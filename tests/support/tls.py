"""Makes an authority, a certificate for the loopback names, and the contexts of both sides."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class Tls:
    """Contexts that trust each other, and the files for programs that want paths.

    Attributes:
        server: presents a certificate for every name in `NAMES`.
        client: trusts that certificate, and checks the name.
        stranger: a client's context that trusts nobody.
        ca_file: the authority's certificate, PEM.
        cert_file: the server's certificate chain and its key, PEM.
    """

    server: ssl.SSLContext
    client: ssl.SSLContext
    stranger: ssl.SSLContext
    ca_file: Path
    cert_file: Path


def make_tls(folder: Path) -> Tls:
    """Make everything anew; the files are written into the folder."""
    authority = trustme.CA()
    certificate = authority.issue_cert(*NAMES)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    ca_file, cert_file = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    certificate.private_key_and_cert_chain_pem.write_to_path(str(cert_file))
    return Tls(server, client, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca_file, cert_file)
