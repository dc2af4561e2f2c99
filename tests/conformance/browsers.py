"""Starts a browser without a window, on one page, with a profile of its own that is thrown away.

It must leave nothing running: what it starts is a process group, and the group is ended.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Keeps a new profile from showing a first page, and from calling home.
_FIREFOX_PREFERENCES = """\
user_pref("app.normandy.enabled", false);
user_pref("app.update.enabled", false);
user_pref("browser.aboutwelcome.enabled", false);
user_pref("browser.safebrowsing.malware.enabled", false);
user_pref("browser.safebrowsing.phishing.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("dom.push.connection.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.type", 0);
user_pref("services.settings.server", "http://127.0.0.1:9");
user_pref("toolkit.telemetry.enabled", false);
"""

_CHROMIUM_OPTIONS = (
    "--headless",
    "--no-sandbox",  # which does not work in most containers
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Browser:
    """One kind of browser.

    Attributes:
        name: what to call it.
        engine: a word of the name by which it introduces itself.
        programs: the names it may have on PATH, the first of them that of Debian's package.
    """

    name: str
    engine: str
    programs: tuple[str, ...]

    def find(self) -> str | None:
        """Return the program's path, or None if it is not installed."""
        return next(filter(None, map(shutil.which, self.programs)), None)

    @contextlib.contextmanager
    def showing(self, url: str, folder: Path) -> Iterator[Path]:
        """Run it on a page.

        Args:
            url: of the page.
            folder: an empty one, for the profile and for what the browser prints.

        Returns:
            The file with what the browser prints.
        """
        program = self.find()
        assert program is not None
        log = folder / "browser.log"
        home = folder / "home"
        home.mkdir()
        command = [program, *self._options(folder), url]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "HOME": str(home)},
                start_new_session=True,
            ) as process,
        ):
            try:
                yield log
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def _options(self, folder: Path) -> list[str]:
        profile = folder / "profile"
        profile.mkdir()
        if self.name == "chromium":
            return [*_CHROMIUM_OPTIONS, f"--user-data-dir={profile}"]
        (profile / "user.js").write_text(_FIREFOX_PREFERENCES)
        return ["--headless", "--no-remote", "--profile", str(profile)]


BROWSERS = (
    Browser("chromium", "Chrome", ("chromium", "chromium-browser", "google-chrome")),
    Browser("firefox", "Firefox", ("firefox-esr", "firefox")),
)
