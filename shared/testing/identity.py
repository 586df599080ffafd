"""Postgres refuses to run as root, and cannot name a user without an entry in the user table.

For either it runs under another identity: a user namespace in which we are called `daemon` (no file
changes owner), or, where namespaces are forbidden, `daemon` itself with the one capability that
lets it reach our folder. Permissions outside the state folder stay as they are.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from shared.testing.process import StartFailed


@dataclass(frozen=True, slots=True)
class Identity:
    """How to run a program that must not be root: a command's prefix, and its files' owner."""

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Makes `folder` and all that is in it this identity's, if it is not yet."""
        if os.geteuid() != 0 or folder.stat().st_uid == self.uid:
            return
        for parent, folders, files in os.walk(folder):
            for name in ("", *folders, *files):
                os.chown(os.path.join(parent, name), self.uid, self.gid, follow_symlinks=False)


def choose(binary: Path, folder: Path) -> Identity:
    """The identity under which `binary` runs and `folder` can be written.

    Raises StartFailed if we are root and may neither make a user namespace nor become another user.
    """
    ours = Identity((), os.geteuid(), os.getegid())
    if not _needs_other():
        return ours
    daemon = pwd.getpwnam("daemon")
    user, group = str(daemon.pw_uid), str(daemon.pw_gid)
    namespace = ("unshare", "--user", f"--map-user={user}", f"--map-group={group}", "--")
    switch = (
        *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"),
        # The secure bit lets access(2), by which Postgres finds its programs, count the capability.
        *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
        *("--securebits=+no_setuid_fixup", "--"),
    )
    candidates = (
        Identity(namespace, os.geteuid(), os.getegid()),
        Identity(switch, daemon.pw_uid, daemon.pw_gid),
    )
    for candidate in candidates:
        if _works(candidate, binary, folder):
            return candidate
    raise StartFailed(
        "Postgres refuses to run as this user, and neither a user namespace (unshare) nor a change "
        "of user (setpriv) is allowed here"
    )


def _needs_other() -> bool:
    if os.geteuid() == 0:
        return True
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        return True
    return False


def _works(identity: Identity, binary: Path, folder: Path) -> bool:
    try:
        for check in ((str(binary), "--version"), ("ls", str(folder))):
            subprocess.run((*identity.prefix, *check), check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return False
    return True
