"""The wizard in a real terminal, by keys alone, from nothing to an installation that works."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.site import Site
from tests.e2e.terminal import Terminal, terminal

ADMIN = "canary-Adm1n-" + "Pa55w0rd"
WRONG = "canary-Wr0ng-" + "Pa55w0rd"
EMAIL = "operator@oz.example.com"
INSTALLING = 600.0
"""Seconds that an installation may take."""


@dataclass(frozen=True)
class Operator:
    """Somebody at a terminal who has a lab to install on, and its passwords on a piece of paper."""

    site: Site
    at: Terminal

    @property
    def password(self) -> str:
        """Of the database."""
        return self.site.lab.database_password.read_text().strip()

    @property
    def token(self) -> str:
        """Of the BIO updater."""
        return self.site.lab.updater_token.read_text().strip()

    @property
    def answers(self) -> Path:
        """Where the wizard offers to save."""
        return self.at.work / "answers.yml"

    def ssh_config(self, name: str, number: int) -> None:
        """~/.ssh/config knows one of the nodes."""
        lab, folder = self.site.lab, self.at.home / ".ssh"
        folder.mkdir(mode=0o700)
        text = f"Host {name}\n  HostName {lab.node(number).address}\n  User root\n  IdentityFile {lab.key}\n"
        (folder / "config").write_text(text)

    # --- the steps ------------------------------------------------------------------------------------
    def begin(self, scenario: str) -> None:
        """From the bare command to the scenario."""
        self.at.command("oz-install")
        self.at.see("▶ New installation")
        self.at.press("Enter")
        self.at.see("( ) Small business or PoC")
        self.at.press("Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Tab", "Space")
        self.at.see("(•) Small business or PoC")
        if scenario != "Small business or PoC":
            self.at.press("Right")
        self.at.see(f"(•) {scenario}")
        self.at.press("C-n")
        self.at.see("▶ 3  Release", "Container engine")

    def add_node(self, number: int) -> None:
        """Type a node; its roles come from the layout."""
        lab = self.site.lab
        self.at.type("a")
        self.at.see("Add a node")
        self.at.fill(
            ("Name", f"node{number}"),
            ("Host", str(lab.node(number).address)),
            ("Roles", ""),
            ("Address for the other nodes", ""),
            ("SSH user", "root"),
            ("SSH port", ""),
            ("Private key file", str(lab.key)),
        )
        self.at.press("C-n")
        self.at.see_row(str(number), f"node{number}", "root")

    def copy_node(self, number: int) -> None:
        """The node under the cursor once more, with another name and host."""
        self.at.type("d")
        self.at.see("A copy of")
        self.at.fill(("Host", str(self.site.lab.node(number).address)))
        self.at.press("C-n")
        self.at.see_row(str(number), str(self.site.lab.node(number).address))

    def import_node(self, name: str) -> None:
        """Take one from ~/.ssh/config."""
        self.at.type("i")
        self.at.see("Import from ~/.ssh/config", f"[ ] {name}")
        self.at.press("Space", "C-n")
        self.at.see_row("2", name, "root")

    def test_nodes(self, count: int) -> None:
        """Test all of them, and accept their host keys."""
        self.at.press("F5")
        self.at.see(f"{count} new host keys")
        self.at.press("BTab", "Enter")
        screen = self.at.see("Tested.", "Connected.")
        assert screen.count("new key") == 0, screen

    def database(self) -> None:
        """A wrong password first; corrected, and tested again."""
        self.at.see("▶ 5  Database", "PostgreSQL server")
        self.at.press("Left")
        self.at.see("(•) a server of yours", "Host")
        self.at.press("Enter")
        self.at.fill(("Host", str(self.site.lab.database_address)), *(("", ""),) * 3)
        self.at.press("Enter")
        self.at.type(WRONG)
        self.at.see_row("•" * len(WRONG))
        self.at.press("F5")
        self.at.see("Tested: ", "failed.", "password")
        self.at.press("C-a", "C-k")
        self.at.type(self.password)
        self.at.see("The answers have changed since this test.")
        self.at.press("F5")
        self.at.see("Tested: ok.")

    def access(self, api: int) -> None:
        """URL, administrator, licence, token."""
        self.at.see("▶ 7  Access", "Client token")
        self.at.fill(
            ("Public URL", f"http://{self.site.lab.node(api).address}:8880"),
            ("E-mail", EMAIL),
            ("Password", ""),
        )
        self.at.type(ADMIN)
        self.at.see("•" * len(ADMIN))
        self.at.press("Enter")
        self.at.fill(("BIO licence", str(self.site.lab.license)), ("Client token", ""))
        self.at.type(self.token)
        self.at.see("•" * len(self.token))

    def save(self) -> None:
        """Where the wizard proposes."""
        self.at.press("C-s")
        self.at.see("Save the answers", str(self.answers))
        self.at.press("Enter")
        self.at.see(f"Saved to {self.answers}.")

    def preflight(self) -> None:
        """Run the checks; accept every warning."""
        self.at.see("▶ 9  Preflight", "Run the checks")
        self.at.press("Enter")
        screen = self.at.see("Checked. ", " 0 failures")
        warnings = int(re.search(r"(\d+) warning", screen)[1])
        self.at.press("Tab")
        for number in range(1, warnings + 1):
            self.at.press("Enter")
            self.at.see(f"({number} accepted)")
        print(self.at.screen)
        self.at.press("C-n")

    def install(self) -> None:
        """Let it run to its end."""
        self.at.see("▶ 10  Install", "[ Install ]")
        self.at.press("Enter")
        print(self.at.see("Log of node1"))
        print(self.at.see("Installed. Next shows what runs where.", limit=INSTALLING))
        self.at.press("Enter")
        print(self.at.see("▶ 11  Done", "Credentials"))


def test_poc_2(clean: Site, tmp_path: Path) -> None:
    with terminal(tmp_path) as at:
        one = Operator(clean, at)
        one.ssh_config("oz-api", 2)
        one.begin("Small business or PoC")
        at.press("C-n")
        at.see("No nodes yet")
        one.add_node(1)
        one.import_node("oz-api")
        one.test_nodes(2)
        at.press("C-n")
        one.database()
        at.press("C-n")
        print(at.see("▶ 6  Storage", "F5: Test on the api nodes"))
        at.press("F5")
        print(at.see("Tested: "))
        at.press("C-n")
        one.access(2)
        print(at.screen)
        at.press("C-n")
        print(at.see("▶ 8  Review", "oz-api"))
        one.save()
        at.press("C-n")
        one.preflight()
        one.install()
        at.press("C-q")
        print(at.ended(0))
        print(
            list(at.work.rglob("*")),
            list(at.state.rglob("*")),
            list(at.home.rglob("*")),
            one.answers.read_text(),
        )
        again = clean.install(one.answers)
        assert (again.status, again.stdout) == (0, "Nothing to do on 2 nodes.\n"), again.stderr
