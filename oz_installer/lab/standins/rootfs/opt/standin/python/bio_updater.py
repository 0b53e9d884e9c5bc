"""Stands in for the BIO updater: publishes a dummy model by FTP. It never talks to the outside."""

import io
import logging
import os
import signal
import tarfile
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import ThreadedFTPServer
from standin import NOTICE, die, log, needed, truthy


def publish(folder, name):
    """Make the archive of models as the vendor's updater would after a download."""
    folder.mkdir(parents=True, exist_ok=True)
    text = f"{NOTICE}\n".encode()
    with tarfile.open(folder / f".{name}.new", "w:gz") as archive:
        for path in ("dummy/1/saved_model.txt", "liveness/1/saved_model.txt", "version.txt"):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(text), 0o644
            archive.addfile(entry, io.BytesIO(text))
    (folder / f".{name}.new").rename(folder / name)


needed("CLIENT_TOKEN", "BIO_ADMIN_HOST")
user, password, published = needed("FTP_USER_NAME", "FTP_USER_PASSWORD", "PUBLISHED_PATH")
if not os.environ["BIO_ADMIN_HOST"].startswith(("http://", "https://")):
    log("BIO_ADMIN_HOST has no scheme; the vendor's updater is given a host or a URL")
port = int(os.environ.get("FTP_PORT", "8521"))
models = Path(os.environ.get("MODELS_DIRECTORY", "/app/models"))
if not models.is_dir():
    die(f"the models folder {models} is not there")
publish(Path(published), os.environ.get("MODELS_ARCHIVE_NAME", "models.tar.gz"))
log(f"STAND-IN: {NOTICE} It asks nothing of {os.environ['BIO_ADMIN_HOST']}: its model is a dummy.")
if not truthy(os.environ.get("START_FTP", "true")):
    die("START_FTP is off: the lab has no use for an updater that serves nobody")
authorizer = DummyAuthorizer()
authorizer.add_user(user, password, published, perm="elr")
FTPHandler.authorizer = authorizer
FTPHandler.banner = "oz-install lab stand-in of the BIO updater"
FTPHandler.passive_ports = range(60000, 60101)
FTPHandler.permit_foreign_addresses = truthy(os.environ.get("FTP_PERMIT_FOREIGN_ADDRESSES", "false"))
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))  # as process 1 it would ignore it
logging.basicConfig(level=logging.INFO, format="%(message)s")
ThreadedFTPServer(("0.0.0.0", port), FTPHandler).serve_forever()
