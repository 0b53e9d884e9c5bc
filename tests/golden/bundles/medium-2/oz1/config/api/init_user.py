# Made by oz-install. Do not edit: change answers.yml and run oz-install again.
"""Creates the first administrator where the login does not work yet. Runs inside the API's image."""

import json
import os
import runpy
import sys
import time
import traceback
import urllib.error
import urllib.request

GATEWAY = "/opt/gateway"
API = "http://oz-api:8000"
WAIT_SECONDS = 120
NOT_CREATED = (
    "the administrator %s cannot log in and could not be created; if the account is there with another "
    "password, change it in the web UI to that of the answers, or give the account's own as admin.password, "
    "or another admin.email"
)

# Straight to the container beside this one, whatever proxy the image's environment names.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def call(path, body=None):
    """HTTP status of one request; None when the API does not answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data=data, headers={"Content-Type": "application/json"})
    try:
        with OPENER.open(request, timeout=15) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None


def wait_for_api():
    """Wait until the API tells its version, for WAIT_SECONDS at most."""
    deadline = time.monotonic() + WAIT_SECONDS
    status = call("/api/version")
    while status != 200:
        if time.monotonic() > deadline:
            seen = "no answer" if status is None else "status %d" % status
            sys.exit("%s/api/version was not ready within %d s: %s" % (API, WAIT_SECONDS, seen))
        time.sleep(1)
        status = call("/api/version")


def login(admin):
    """HTTP status of a login with the administrator's e-mail and password."""
    credentials = {"email": admin["email"], "password": admin["password"]}
    return call("/api/authorize/auth", {"credentials": credentials})


def create(admin):
    """Run the vendor's command in this process, so that no list of processes shows the password."""
    os.chdir(GATEWAY)
    sys.path.insert(0, GATEWAY)
    # Each option with its value as one word: a value that starts with a hyphen is no option.
    sys.argv = [
        "manage.py",
        "oz_create_admin",
        "--email=" + admin["email"],
        "--password=" + admin["password"],
    ]
    try:
        runpy.run_path(GATEWAY + "/manage.py", run_name="__main__")
    except SystemExit as stop:
        if stop.code not in (None, 0):
            raise
    finally:
        sys.argv = ["init_user.py"]


def main():
    with open("/run/oz/admin.json", encoding="utf-8") as file:
        admin = json.load(file)
    wait_for_api()
    if login(admin) == 200:
        print("the administrator %s exists already" % admin["email"], flush=True)
        return
    try:
        create(admin)
    except (Exception, SystemExit) as error:
        if not isinstance(error, SystemExit):
            traceback.print_exc()
        elif isinstance(error.code, str):
            print(error.code, file=sys.stderr)
        sys.exit(NOT_CREATED % admin["email"])
    status = login(admin)
    if status != 200:
        sys.exit("the administrator %s was created but cannot log in: status %s" % (admin["email"], status))
    print("the administrator %s was created" % admin["email"], flush=True)


if __name__ == "__main__":
    main()
