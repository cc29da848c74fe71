"""A way to an endpoint that can be cut, or made to lose or hold answers; it counts what went through."""

import socket
import threading

from processes import free_port


class Forwarder:
    """Passes TCP connections on to 127.0.0.1:`target`."""

    def __init__(self, target: int):
        self.target, self.port = target, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._lock = threading.Lock()
        self._sent: list[bytearray] = []
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self._answers_to_lose = 0
        self._holding = False
        self.on()

    def on(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def off(self) -> None:
        """From now on connections are refused, and those that are open are cut."""
        if self._listener:
            # shutdown wakes the thread that waits in accept; close alone would leave the port open.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self._cut()

    def lose_answers(self, count: int) -> None:
        """The next `count` requests that tell a workflow its outcome arrive; their answers do not come back."""
        self._cut()  # so that a request on a kept-alive connection is seen as well
        with self._lock:
            self._answers_to_lose = count

    def hold_answers(self, hold: bool = True) -> None:
        """While held, requests that tell a workflow its outcome arrive, and their callers go on waiting for an answer."""
        self._cut()
        with self._lock:
            self._holding = hold

    def calls(self, action: str) -> int:
        """How many requests of this Step Functions action went through."""
        name = f"AWSStepFunctions.{action}".lower().encode()
        with self._lock:
            return sum(bytes(sent).lower().count(name) for sent in self._sent)

    def _cut(self) -> None:
        with self._lock:
            cut, self._open = self._open, set()
        for connection in cut:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # the other side was first

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                client.close()
                continue
            sent = bytearray()
            with self._lock:
                self._open |= {client, server}
                self._sent.append(sent)
            threading.Thread(target=self._pass, args=(client, server, sent, None), daemon=True).start()
            threading.Thread(target=self._pass, args=(server, client, None, sent), daemon=True).start()

    def _pass(self, source: socket.socket, sink: socket.socket, keep: bytearray | None, request: bytearray | None) -> None:
        try:
            while data := source.recv(65536):
                if keep is not None:
                    with self._lock:
                        keep += data
                if request is not None and self._tells(request):
                    if self._holding:
                        continue
                    if self._loses():
                        break
                sink.sendall(data)
        except OSError:
            pass  # cut
        for connection in (source, sink):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        with self._lock:
            self._open -= {source, sink}

    def _tells(self, request: bytearray) -> bool:
        with self._lock:
            return b"awsstepfunctions.sendtask" in bytes(request).lower()

    def _loses(self) -> bool:
        with self._lock:
            lost = self._answers_to_lose > 0
            self._answers_to_lose -= lost
            return lost
