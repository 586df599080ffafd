"""Rendering beside a service: in a process that is started when there is something to render."""

import asyncio
import os
import pickle
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.documents import typesetter
from shared.documents.rendering import Document, Source, prepared

ENDED = (EOFError, OSError, pickle.UnpicklingError)


class NotRendered(Exception):
    """The template is wrong, or the document takes too long or too much memory."""


class Renderer:
    """One document after the other. The process ends when none was asked for in a while."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="document")
        self._process: subprocess.Popen[bytes] | None = None

    async def render(self, source: Source) -> Document:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._render, source)

    def _render(self, source: Source) -> Document:
        request = prepared(source)
        try:
            made, answer = self._asked(request)
        except ENDED:  # it had ended, or this was too much for it
            made, answer = self._asked_anew(request)
        if not made:
            raise NotRendered(answer)
        return Document(answer, source.content_sha256)

    def _asked_anew(self, request: Any) -> Any:
        self._end()
        try:
            return self._asked(request)
        except ENDED as error:
            self._end()
            raise NotRendered("it took too long or too much memory") from error

    def _asked(self, request: Any) -> Any:
        if self._process is None:
            self._process = _started()
        to, back = self._process.stdin, self._process.stdout
        assert to is not None and back is not None
        pickle.dump(request, to)
        to.flush()
        return pickle.load(back)

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _started() -> subprocess.Popen[bytes]:
    """Without the settings of the service, which hold its secrets."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("KAWAL_")}
    return subprocess.Popen(
        (sys.executable, "-I", typesetter.__file__),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=known,
    )
