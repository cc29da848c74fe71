"""A name of one's own in front of the HTTP API, as a company gives it one: passes requests on under the Host it was asked by."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from processes import http

# Of one connection each (RFC 9110, 7.6.1), and what the server writes itself.
NOT_PASSED = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class Front:
    """Serves on a loopback port; `target` is set once the stack has told the API's id."""

    def __init__(self):
        front = self
        self.target = ""

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                # The Host stays: it is the one that BASE_URL names.
                headers = {name: value for name, value in self.headers.items() if name.lower() not in NOT_PASSED}
                given = http().request(
                    self.command, front.target + self.path, data=body, headers=headers, timeout=60, allow_redirects=False
                )
                self.send_response(given.status_code)
                # Of two cookies `given.headers` makes one.
                for name, value in given.raw.headers.items():
                    if name.lower() not in NOT_PASSED | {"content-encoding"}:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(given.content)))
                self.end_headers()
                self.wfile.write(given.content)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
