"""A WebSocket client on a blocking socket: the program does the I/O, wscompat handles the protocol.

Usage: python without_io.py URI MESSAGE

It sends the message, prints the answer, and closes the connection.
"""

import socket
import sys

from wscompat.client import ClientProtocol
from wscompat.frames import Frame, Opcode
from wscompat.http11 import Request, Response
from wscompat.protocol import SEND_EOF, State
from wscompat.uri import parse_uri


class Connection:
    def __init__(self, uri: str) -> None:
        parsed = parse_uri(uri)
        self.socket = socket.create_connection((parsed.host, parsed.port), timeout=10)
        self.protocol = ClientProtocol(parsed)
        self.events: list[Request | Response | Frame] = []
        self.protocol.send_request(self.protocol.connect())
        self.write()
        self.next_event()
        if self.protocol.handshake_exc is not None:
            raise self.protocol.handshake_exc

    def write(self) -> None:
        """Send the output of the protocol."""
        for data in self.protocol.data_to_send():
            if data == SEND_EOF:
                self.socket.shutdown(socket.SHUT_WR)
            else:
                self.socket.sendall(data)

    def read(self) -> None:
        """Receive data, and let the protocol process it."""
        data = self.socket.recv(65536)
        if data:
            self.protocol.receive_data(data)
        else:
            self.protocol.receive_eof()
        self.write()
        self.events += self.protocol.events_received()

    def next_event(self) -> Request | Response | Frame:
        while not self.events:
            if self.protocol.state is State.CLOSED:
                raise self.protocol.close_exc
            self.read()
        return self.events.pop(0)

    def send(self, text: str) -> None:
        self.protocol.send_text(text.encode())
        self.write()

    def recv(self) -> str:
        """Return the next text, if it comes in one frame."""
        while True:
            event = self.next_event()
            if isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                return bytes(event.data).decode()

    def close(self) -> None:
        self.protocol.send_close(1000)
        self.write()
        while self.protocol.state is not State.CLOSED:
            self.read()
        self.socket.close()


def main(uri: str, message: str) -> None:
    connection = Connection(uri)
    connection.send(message)
    print(connection.recv())
    connection.close()
    print(connection.protocol.close_code)


if __name__ == "__main__":
    main(*sys.argv[1:])
