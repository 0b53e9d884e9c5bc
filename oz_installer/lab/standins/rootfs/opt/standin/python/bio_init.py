"""Stands in for the BIO initer: fetches the archive of models by FTP and unpacks it; then ends."""

import ftplib
import os
import shutil
import tarfile
import time
from pathlib import Path

from standin import NOTICE, die, log, needed, truthy

DOWNLOADS, MODELS, LIMIT = Path("/app/downloads"), Path("/app/models"), 60


def fetch(host, port, user, password, target):
    """Download by FTP; the address of the data connection is always the server's own."""
    with ftplib.FTP() as server:
        server.connect(host, port, timeout=10)
        server.login(user, password)
        server.set_pasv(truthy(os.environ.get("FTP_USE_PASSIVE_MODE", "true")))
        with target.open("wb") as file:
            server.retrbinary(f"RETR {target.name}", file.write)


def clean(folder):
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


host, port, user, password = needed("FTP_SERVER_HOST", "FTP_SERVER_PORT", "FTP_USER_NAME", "FTP_USER_PASSWORD")
log(f"STAND-IN: {NOTICE}")
for folder in (DOWNLOADS, MODELS):
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        die(f"{folder} is not mounted or cannot be written")
if truthy(os.environ.get("CLEAN_DIRS_FIRST", "false")):
    for folder in (DOWNLOADS, MODELS):
        clean(folder)
archive = DOWNLOADS / os.environ.get("MODELS_ARCHIVE_NAME", "models.tar.gz")
end = time.monotonic() + LIMIT
while True:
    try:
        fetch(host, int(port), user, password, archive)
        break
    except ftplib.error_perm as error:
        die(f"ftp://{host}:{port} refused: {error}")
    except (*ftplib.all_errors, EOFError) as error:
        if time.monotonic() > end:
            die(f"ftp://{host}:{port} gave no models within {LIMIT} s: {type(error).__name__}: {error}")
        log(f"ftp://{host}:{port}: {type(error).__name__}: {error}; trying again")
        time.sleep(0.5)
with tarfile.open(archive) as tar:
    tar.extractall(MODELS, filter="data")
log(f"Models are in {MODELS}: " + ", ".join(sorted(entry.name for entry in MODELS.iterdir())))
