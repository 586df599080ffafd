"""A folder with stand-ins for the services: healthy at once, they answer any GET."""

from pathlib import Path

from deploy.local.program import SERVICES

PROGRAM = """
import http.server
import os


class Healthy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


address = (os.environ["KAWAL_HOST"], int(os.environ["KAWAL_PORT"]))
http.server.ThreadingHTTPServer(address, Healthy).serve_forever()
"""


def write(folder: Path) -> Path:
    """The folder in which `python -m services.<name>` starts a stand-in."""
    for name in SERVICES:
        package = folder / "services" / name
        package.mkdir(parents=True)
        (package / "__main__.py").write_text(PROGRAM)
    (folder / "services" / "__init__.py").touch()
    return folder
