"""The smallest OTLP/HTTP endpoint: keeps the spans that are sent to it."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from shared.testing.process import LOOPBACK, wait_until

UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress, "identity": bytes}


@dataclass(frozen=True, slots=True)
class Span:
    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: frozenset[str]
    """The traces that it is linked to."""


@dataclass
class Spans:
    endpoint: str
    all: list[Span] = field(default_factory=list)

    def of(self, trace: str) -> list[Span]:
        return [span for span in list(self.all) if trace == span.trace or trace in span.links]

    def names(self, trace: str) -> set[tuple[str, str]]:
        """(service, span name) of a trace and of the batches that link to it."""
        return {(span.service, span.name) for span in self.of(trace)}

    def wait_for(self, trace: str, wanted: set[tuple[str, str]], seconds: float = 15) -> None:
        """Returns once all wanted spans are there; an AssertionError says which are not."""
        wait_until(lambda: wanted <= self.names(trace), seconds, every=0.1)
        missing = wanted - self.names(trace)
        assert not missing, f"{missing} not among {sorted(self.names(trace))}"

    def receive(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            attributes = {each.key: each.value for each in resource.resource.attributes}
            service = attributes["service.name"].string_value
            for scope in resource.scope_spans:
                self.all += [_span(service, span) for span in scope.spans]


def _span(service: str, span: object) -> Span:
    return Span(
        service,
        span.name,
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex(),
        frozenset(link.trace_id.hex() for link in span.links),
    )


@contextmanager
def collecting() -> Iterator[Spans]:
    server = ThreadingHTTPServer((LOOPBACK, 0), _Handler)
    server.spans = spans = Spans(f"http://{LOOPBACK}:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield spans
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = UNPACK[self.headers.get("Content-Encoding", "identity")]
        if self.path == "/v1/traces":
            self.server.spans.receive(unpack(body))
        self.send_response(200 if self.path == "/v1/traces" else 404)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass
