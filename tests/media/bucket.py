"""As much of S3 as the media store uses, on loopback: the semantics of a bucket where a folder's are others."""

from __future__ import annotations

import re
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

MODIFIED = "2026-11-22T08:00:00.000Z"
MODIFIED_HTTP = "Sun, 22 Nov 2026 08:00:00 GMT"


class Bucket(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Requests)
        self.objects: dict[str, bytes] = {}
        """By `/bucket/key`."""
        self.status = 200
        """What all requests are answered with where it is another."""
        self.asked: list[str] = []
        self.lock = threading.Lock()

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.server_port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": "an-id",
            "AWS_SECRET_ACCESS_KEY": "very-secret",
            "AWS_REGION": "eu-central-1",
        }


@contextmanager
def running_bucket() -> Generator[Bucket]:
    server = Bucket()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        self.bucket = cast(Bucket, self.server)
        parts = urlsplit(self.path)
        self.name, self.query = unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.bucket.asked.append(self.name)
        if self.bucket.status != 200:
            self._answer(self.bucket.status)
            return False
        return True

    def do_GET(self) -> None:
        if "list-type" in self.query:
            self._list()
            return
        data = self.bucket.objects.get(self.name)
        self._answer(404) if data is None else self._answer(200, data)

    do_HEAD = do_GET  # noqa: N815

    def do_PUT(self) -> None:
        source = self.headers.get("x-amz-copy-source")
        with self.bucket.lock:
            if source is not None:
                data = self.bucket.objects.get("/" + unquote(source).lstrip("/"))
                if data is None:
                    self._answer(404)
                    return
                self.bucket.objects[self.name] = data
                xml = f'<CopyObjectResult><ETag>"1"</ETag><LastModified>{MODIFIED}</LastModified></CopyObjectResult>'
                self._answer(200, xml.encode())
            elif self.headers.get("If-None-Match") == "*" and self.name in self.bucket.objects:
                self._answer(412)
            else:
                self.bucket.objects[self.name] = self.body
                self._answer(200)

    def do_DELETE(self) -> None:
        with self.bucket.lock:
            self.bucket.objects.pop(self.name, None)
        self._answer(204)

    def do_POST(self) -> None:
        """Deletes many."""
        keys = re.findall(r"<Key>([^<]*)</Key>", self.body.decode())
        with self.bucket.lock:
            for key in keys:
                self.bucket.objects.pop(f"{self.name.rstrip('/')}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in keys)
        self._answer(200, f"<DeleteResult>{deleted}</DeleteResult>".encode())

    def _list(self) -> None:
        home = self.name.rstrip("/") + "/"
        prefix = self.query.get("prefix", [""])[0]
        with self.bucket.lock:
            found = sorted(
                (name.removeprefix(home), len(data))
                for name, data in self.bucket.objects.items()
                if name.startswith(home + prefix)
            )
        folders: set[str] = set()
        if "delimiter" in self.query:
            folders = {prefix + key[len(prefix) :].split("/")[0] + "/" for key, _ in found if "/" in key[len(prefix) :]}
            found = [(key, size) for key, size in found if "/" not in key[len(prefix) :]]
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{size}</Size><LastModified>{MODIFIED}</LastModified>"
            f'<ETag>"1"</ETag></Contents>'
            for key, size in found
        )
        shared = "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        self._answer(200, f"<ListBucketResult>{contents}{shared}</ListBucketResult>".encode())

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", MODIFIED_HTTP)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
        pass
