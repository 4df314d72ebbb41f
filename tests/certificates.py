"""Certificates for servers of the tests, made by the openssl program when a test asks."""

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest


def certificate(folder: Path, *, name: str = "localhost") -> tuple[Path, Path]:
    """(certificate, key) files for `name` and 127.0.0.1, signed by itself, good for a day.

    Skips the test where there is no openssl program.
    """
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl program to make a certificate")
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    extensions = (
        f"subjectAltName=DNS:{name},IP:127.0.0.1",
        "keyUsage=digitalSignature,keyCertSign",
    )
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-days", "1", "-subj", f"/CN={name}"),
            *("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-keyout", str(key), "-out", str(cert)),
            *(word for extension in extensions for word in ("-addext", extension)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def server_context(cert: Path, key: Path) -> ssl.SSLContext:
    """TLS for a sink."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
