"""An image registry of a lab: TLS by an authority of its own, and a login."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bcrypt
import yaml

from oz_installer.lab import Lab

USER = "puller"


@contextmanager
def serving(lab: Lab, folder: Path, password: str) -> Iterator[str]:
    """Its address; ``folder`` gets ``ca.crt``."""
    subprocess.run(["apt-get", "-q", "download", "docker-registry"], cwd=folder, check=True)
    package = next(folder.glob("docker-registry*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
    server = str(lab.subnet[6])
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry"]
    make += ["-addext", f"subjectAltName=IP:{server}", "-keyout", "key.pem", "-out", "ca.crt"]
    subprocess.run(make, cwd=folder, check=True, capture_output=True)
    settings = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": "/var/registry"}},
        "auth": {"htpasswd": {"realm": "lab", "path": "/lab/htpasswd"}},
        "http": {"addr": ":5000", "tls": {"certificate": "/lab/ca.crt", "key": "/lab/key.pem"}},
    }
    (folder / "config.yml").write_text(yaml.safe_dump(settings))
    name, inspect = f"{lab.prefix}-registry", ["docker", "inspect", "-f", "{{.Config.Image}}"]
    node = f"{lab.prefix}-node1"
    image = subprocess.run([*inspect, node], capture_output=True, text=True, check=True).stdout.strip()
    start = ["docker", "run", "-d", "--rm", "--name", name, "--label", lab.label, "--ip", server]
    start += ["--network", lab.network, "-v", f"{folder}:/lab:ro", image]
    subprocess.run([*start, "/lab/usr/bin/docker-registry", "serve", "/lab/config.yml"], check=True)
    try:
        yield f"{server}:5000"
    finally:
        subprocess.run(["docker", "rm", "-f", name], check=False, capture_output=True)
