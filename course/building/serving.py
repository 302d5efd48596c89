"""The pages of a build on this machine, for a browser that is to show each change at once."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import socketserver
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from threading import Lock, Thread
from urllib.parse import unquote, urlsplit

ADDRESS = "127.0.0.1"
_INDEX = "index"
_BANNER = (
    "position:sticky;top:0;z-index:9;margin:0;padding:.6em 1em;background:#8f1d1d;color:#fff;"
    "font:16px/1.5 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;max-height:40vh;overflow:auto"
)


@dataclass(frozen=True)
class Answer:
    """What is sent: a status, the kind of content, the content itself, and a tag that changes whenever that does."""

    status: HTTPStatus
    kind: str
    content: bytes
    tag: str
    checking: bool = False


@dataclass(frozen=True)
class _Page:
    content: bytes
    version: str
    file: tuple[int, int, int] | None = None


class Site:
    """The files below a folder, with what is to be said over the pages of lessons that fail.

    The page of a lesson that fails is shown as it was last made: its file is gone, and comes back when it passes.
    While a build runs, pages whose files have gone are shown as they were until it is known why.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.failing: Mapping[str, Sequence[str]] = {}
        """What to say of lessons that fail, by name."""
        self._building = False
        self._last: dict[str, _Page] = {}
        self._ahead: set[str] = set()  # of these lessons the last page is younger than the file
        self._checking: set[str] = set()
        self._one = Lock()

    def began(self) -> None:
        """A build has begun."""
        self._building = True

    def preview(self, name: str, page: str) -> None:
        """Show this page of a lesson, whose checks still run. Its file is to follow if it passes them."""
        with self._one:
            content = page.encode()
            self._last[name] = _Page(content, _tag(content))
            self._ahead.add(name)
            self._checking.add(name)

    def ended(self, failing: Mapping[str, Sequence[str]]) -> None:
        """The build has ended, and this is to be said of the lessons that fail."""
        with self._one:
            self.failing, self._building = failing, False
            self._checking.clear()
            self._ahead &= failing.keys()

    def answer(self, path: str) -> Answer:
        """What there is at the path of an address."""
        name = path.lstrip("/")
        file = self._file(name if name and not name.endswith("/") else f"{name}{_INDEX}.html")
        if file is None or (file.suffix != ".html" and not file.is_file()):
            return Answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"there is no such file\n", "")
        if file.suffix == ".html":
            return self._page(file)
        content = file.read_bytes()
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        return Answer(HTTPStatus.OK, kind, content, _tag(content))

    def _file(self, name: str) -> Path | None:
        """The file of this name below the folder; None for one that is elsewhere, or hidden, as unfinished ones are."""
        try:
            folder, file = self.folder.resolve(), (self.folder / name).resolve()
            inside = file.relative_to(folder)
        except (ValueError, OSError):
            return None
        return None if any(part.startswith(".") for part in inside.parts) else file

    def _page(self, file: Path) -> Answer:
        name = file.stem
        with self._one:
            checking = name in self._checking
            said = [] if checking else self._said(name)
            if name not in self._ahead:
                self._look(name, file, keep=self._building or bool(said))
            page = self._last.get(name)
        status = HTTPStatus.OK if page or said else HTTPStatus.NOT_FOUND
        if page is None:
            content = _framed("This page is not there yet. It is shown as soon as its lesson passes.")
            page = _Page(content, "missing")
        elif said and name != _INDEX:
            said.append("Below is the page as it was last made.")
        tag = _tag(page.version, *said)
        return Answer(status, "text/html; charset=utf-8", _with(page.content, said, tag), tag, checking)

    def _look(self, name: str, file: Path, *, keep: bool) -> None:
        """Read the file of a page if it is another; where there is none, the last page goes, unless it is to stay."""
        try:
            with file.open("rb") as opened:
                found = os.fstat(opened.fileno())
                shape = found.st_mtime_ns, found.st_ino, found.st_size
                if name not in self._last or self._last[name].file != shape:
                    content = opened.read()
                    self._last[name] = _Page(content, _tag(content), shape)
        except OSError:
            if not keep:
                self._last.pop(name, None)

    def _said(self, name: str) -> list[str]:
        shown = self.failing if name == _INDEX else {name: self.failing[name]} if name in self.failing else {}
        return [f"{failed} FAILED\n" + "\n".join(lines) for failed, lines in shown.items()]


def _with(page: bytes, said: Sequence[str], tag: str) -> bytes:
    """A page with a banner and the script that loads it again.

    A content security policy in the answer would hold for the frames in the page as well, and stop the scripts that
    draw their pictures, so there is none: the page has no other script, and each frame has its own policy.
    """
    text = escape("\n".join(said))
    banner = f'<pre role="alert" tabindex="0" style="{_BANNER}">{text}</pre>' if said else ""
    reload = resources.files("course.building").joinpath("reload.js").read_text(encoding="utf-8")
    head, body, rest = page.partition(b"<body>")
    page = head + body + banner.encode() + rest
    main, end, rest = page.rpartition(b"</body>")
    return main + f'<script data-tag="{tag}">\n{reload}</script>\n'.encode() + end + rest


def _framed(text: str) -> bytes:
    style = "<style>:root{color-scheme:light dark}body{font:17px/1.6 system-ui;margin:0}p{padding:1em}</style>"
    head = f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Not there</title>{style}</head>'
    return f"{head}\n<body><p>{escape(text)}</p></body></html>\n".encode()


def _tag(*parts: str | bytes) -> str:
    whole = hashlib.sha256()
    for part in parts:
        whole.update(hashlib.sha256(part if isinstance(part, bytes) else part.encode()).digest())
    return whole.hexdigest()[:32]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: Site, port: int) -> None:
        self.site = site
        super().__init__((ADDRESS, port), _Handler)

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer would ask the network for the name of this machine
        self.server_name, self.server_port = ADDRESS, self.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30
    server_version, sys_version = "course", ""

    def do_GET(self) -> None:
        self._send(with_content=True)

    def do_HEAD(self) -> None:
        self._send(with_content=False)

    def _send(self, *, with_content: bool) -> None:
        if self.headers.get("Host") not in {f"{name}:{self.server.server_port}" for name in (ADDRESS, "localhost")}:
            # Another site may have had its own name lead here, and could then read what is served.
            self.send_error(HTTPStatus.FORBIDDEN, "this server answers this machine only")
            return
        answer = self.server.site.answer(unquote(urlsplit(self.path).path))
        self.send_response(answer.status)
        for name, value in (
            ("Content-Type", answer.kind), ("Content-Length", str(len(answer.content))), ("ETag", f'"{answer.tag}"'),
            ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Course-Checks", "running" if answer.checking else "over"),
        ):  # fmt: skip
            self.send_header(name, value)
        self.end_headers()
        if with_content:
            self.wfile.write(answer.content)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the browser went on to another page
            self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the terminal is for the build."""


@contextmanager
def serving(site: Site, port: int = 0) -> Iterator[int]:
    """Serve a site to this machine, at a free port or a given one; yields the port. Raises OSError if it is taken."""
    with _Server(site, port) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="pages", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
