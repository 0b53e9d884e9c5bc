"""Somebody at a terminal who installs Oz on a lab by keys alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.site import Site
from tests.e2e.terminal import Terminal

EMAIL = "operator@oz.example.com"
ADMIN = "canary-Adm1n-" + "Pa55w0rd"
WRONG = "canary-Wr0ng-" + "Pa55w0rd"
POC, MEDIUM = "Small business", "Medium load"
INSTALLING = 600.0
"""Seconds that an installation may take."""


@dataclass(frozen=True)
class Operator:
    """Has a lab to install on, and its passwords on a piece of paper."""

    site: Site
    at: Terminal

    # --- what stands on the paper ---------------------------------------------------------------------
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

    def address(self, number: int) -> str:
        """Of a node."""
        return str(self.site.lab.node(number).address)

    def ssh_config(self, name: str, number: int) -> None:
        """Let ~/.ssh/config know one of the nodes."""
        folder = self.at.home / ".ssh"
        folder.mkdir(mode=0o700)
        own = f"HostName {self.address(number)}\n  User root\n  IdentityFile {self.site.lab.key}\n"
        (folder / "config").write_text(f"Host {name}\n  {own}")

    # --- moving about ---------------------------------------------------------------------------------
    def arrive(self, step: str, *texts: str) -> None:
        """Wait until a step is open, and shows these."""
        self.at.see_like(rf"▶ ?\d+ +{step} |^ *{step} .*step \d+ of \d+", f"the step {step}")
        self.at.see(*texts)

    def on(self, step: str, *texts: str) -> None:
        """Next."""
        self.at.press("C-n")
        self.arrive(step, *texts)

    # --- the steps ------------------------------------------------------------------------------------
    def start(self) -> None:
        """The bare command, a new installation."""
        self.at.command("oz-install")
        self.at.see("▶ New installation")
        self.at.press("Enter")
        self.arrive("Workload", "Scenario       poc")

    def choose(self, scenario: str) -> None:
        """Past the seven figures to the cards; the first card, or the one right of it."""
        self.at.press(*["Tab"] * 7)
        self.at.see(f"( ) {POC}")
        self.at.press("Space")
        self.at.see(f"(•) {POC}")
        if scenario != POC:
            self.at.press("Right")
        self.at.see(f"(•) {scenario}")
        self.on("Release", "Container engine")
        self.on("Nodes", "No nodes yet")

    def add_node(self, number: int) -> None:
        """Type a node; its roles come from the layout."""
        self.at.type("a")
        self.at.see("Add a node")
        self.at.fill(
            ("Name", f"node{number}"),
            ("Host", self.address(number)),
            ("Roles", ""),
            ("Address for the other nodes", ""),
            ("SSH user", "root"),
            ("SSH port", ""),
            ("Private key file", str(self.site.lab.key)),
        )
        self.at.press("C-n")
        self.at.see_row(f" {number} ", f"node{number}", self.address(number))

    def copy_node(self, number: int) -> None:
        """The node under the cursor once more, on another host."""
        self.at.type("d")
        self.at.see("Copy of")
        self.at.fill(("Host", self.address(number)))
        self.at.press("C-n")
        self.at.see_row(f" {number} ", self.address(number))

    def import_node(self, number: int, name: str) -> None:
        """Take one from ~/.ssh/config."""
        self.at.type("i")
        self.at.see("Import from ~/.ssh/config", f"[ ] {name}")
        self.at.press("Space", "C-n")
        self.at.see_row(f" {number} ", name, self.address(number))

    def test_nodes(self, count: int) -> None:
        """Test all of them, and accept the host keys that nobody knew."""
        self.at.press("F5")
        self.at.see("new host key", "SHA256:")
        self.at.press("BTab", "Enter")
        screen = self.at.see_like(r"Connected\.(?s:.*)Tested\.", "the nodes, tested")
        assert len(re.findall(r" (?:ok|\d warnings?)$", screen, re.MULTILINE)) == count, screen

    def name_database(self) -> None:
        """A server of ours, the cursor at its password."""
        known = r"For PoC and tests only|It must be reachable from|bundled: "
        if "(•) bundled" in self.at.see_like(known, "which database there may be"):
            self.at.press("Left")
        self.at.see("(•) your own server", "Host")
        self.at.press("Enter")
        self.at.fill(("Host", self.site.lab.database_address.compressed))
        self.at.fill(("Port", ""), ("Database", ""), ("Role", ""), ("Password", ""))

    def wrong_password(self) -> None:
        """Typed, tested and told; then taken out again."""
        self.secret(WRONG)
        self.at.press("F5")
        self.at.see("Tested: 1 failed.", "FAILURE", "password authentication failed")
        self.at.press(*["BSpace"] * len(WRONG))

    def right_password(self) -> None:
        """Typed, and tested."""
        self.secret(self.password)
        self.at.press("F5")
        self.at.see("Tested: ok.", "ok  ")

    def secret(self, text: str) -> None:
        """Type one; it is masked."""
        self.at.type(text)
        self.at.see_like(f"▌•{{{len(text)}}} ", "a masked secret")

    def access(self, api: int) -> None:
        """URL, administrator, licence, token, and that there is no way out."""
        self.at.fill(("Public URL", f"http://{self.address(api)}:8880"))
        if "Load balancer" in self.at.see("E-mail"):
            self.at.fill(("Type", ""))
        self.at.fill(("E-mail", EMAIL), ("Password", ""))
        self.secret(ADMIN)
        self.at.press("Enter")
        self.at.fill(("BIO licence", str(self.site.lab.license)), ("Client token", ""))
        self.secret(self.token)
        self.at.press("Enter")
        self.at.fill(("Update server", ""), ("Check period, seconds", ""))
        self.at.press("Space")
        self.at.see_row("Air-gapped", "[x]")  # a lab has no way out

    def save(self) -> None:
        """Where the wizard proposes."""
        self.at.press("C-s")
        self.at.see("Save the answers", "Typed passwords are saved next to it")
        self.at.press("Enter")
        self.at.see("Saved to")

    def preflight(self) -> None:
        """Run the checks, accept the warnings one by one."""
        self.at.press("Enter")
        screen = self.at.see("Checked. ", " 0 failures")
        found = re.search(r"Checked\..* (\d+) warning", screen)
        assert found, screen
        self.at.press("Tab")
        for number in range(1, int(found[1]) + 1):
            self.at.press("Enter")
            self.at.see(f"({number} accepted)")

    def open_again(self) -> None:
        """The bare command once more, and the file that it wrote."""
        self.at.command("oz-install")
        self.at.see("▶ New installation")
        self.at.press("Down", "Enter")
        self.at.see("Open an answers file", "▶ answers.yml")
        self.at.type("answers.yml")
        self.at.press("Enter")
        self.arrive("Review", "[ Compare ]")
        self.on("Preflight", "[ Run the checks ]")
        self.on("Install", "[ Install ]")

    def begin(self) -> None:
        """Install, sure of it."""
        self.at.press("Enter")
        self.at.see("Install Oz on ", "[ Not yet")
        self.at.press("BTab", "Enter")

    def install(self) -> None:
        """Let it run to its end, and look at what runs."""
        self.begin()
        self.at.see("Log of ")
        self.at.see("Installed. Next shows the status.", limit=INSTALLING)
        self.at.press("Enter")
        self.arrive("Done", "oz-install --answers")
        self.at.see("services, all well", "URLs")
        self.at.press("End")
        self.at.see("running", "services of each node and their state")

    def leave(self) -> None:
        """Quit; nothing is left unsaved."""
        self.at.press("C-q")
        assert "draft" not in self.at.ended(0)

    # --- afterwards -----------------------------------------------------------------------------------
    def nothing_to_do(self, count: int) -> None:
        """The command that the last screen shows does the same, unattended."""
        self.at.command(f"oz-install --answers {self.answers}")
        screen = self.at.ended(0)
        assert f"Nothing to do on {count} node" in screen, screen

    def no_secret_is_told(self) -> None:
        """Neither on the terminal nor in any file but those made for secrets."""
        secrets = (ADMIN, WRONG, self.password, self.token)
        assert not [one for one in secrets if one in self.at.everything]
        folders = (self.at.home, self.at.state, self.at.work)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        told = {path for path in files for one in secrets if one in path.read_text("utf-8", "replace")}
        kept = {path for path in told if path.parent.name == "answers.secrets.d"}
        assert told == kept
        assert all(path.stat().st_mode & 0o077 == 0 for path in kept)
        assert not [path for path in kept if WRONG in path.read_text()]
