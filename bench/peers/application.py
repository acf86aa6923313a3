"""application.py DB_PORT REDIS_PORT PORT EVENTS [READY_FD]: the application of the stack that users have.

It asks its database and its cache as the first thing it does and ends with an error when one of them cannot answer,
keeps its connection, answers HTTP from it, and ends with an error when the database goes. What happens to it goes as a
line into the FIFO: `ready`, `lost` (the database went) or `asked` (SIGTERM came).
"""
import os
import select
import signal
import socket
import struct
import sys


def told(reader):
    """The next message of PostgreSQL: (kind, body)."""
    head = reader.read(5)
    if len(head) < 5:
        raise ConnectionError("the database has gone")
    kind, length = struct.unpack("!ci", head)
    return kind, reader.read(length - 4)


class Database:
    """As much of PostgreSQL's protocol as one query needs."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.reader = self.socket.makefile("rb")
        words = b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!ii", len(words) + 8, 196608) + words)
        self.rows()

    def rows(self):
        found = []
        while True:
            kind, body = told(self.reader)
            if kind == b"E":
                raise ConnectionError(body.replace(b"\0", b" ").decode(errors="replace"))
            if kind == b"D":
                found.append(body[6:])
            if kind == b"Z":
                return found

    def ask(self, query):
        text = query.encode() + b"\0"
        self.socket.sendall(b"Q" + struct.pack("!i", len(text) + 4) + text)
        return self.rows()


def ask_cache(port):
    with socket.create_connection(("127.0.0.1", port), 10) as cache:
        cache.sendall(b"PING\r\n")
        if not cache.recv(100).startswith(b"+PONG"):
            raise ConnectionError("the cache does not answer")


def say_ready(descriptor):
    if descriptor:
        os.write(int(descriptor), b"\n")
        os.close(int(descriptor))
    if path := os.environ.get("NOTIFY_SOCKET"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.sendto(b"READY=1", "\0" + path[1:] if path[0] == "@" else path)


def answer(listener, database):
    client, _ = listener.accept()
    with client:
        client.recv(4096)
        word = database.ask("SELECT text FROM greeting")[0]
        client.sendall(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(word), word))


def serve(listener, database, asked, tell):
    while True:
        for one in select.select([listener, database.socket, asked], [], [])[0]:
            if one is asked:
                tell("asked")
                return 0
            try:
                if one is database.socket:
                    told(database.reader)  # nothing was asked: the end, or that it goes down
                    raise ConnectionError("the database has said something by itself")
                answer(listener, database)
            except ConnectionError:
                tell("lost")
                return 5


def main():
    db, cache, port = map(int, sys.argv[1:4])
    events = os.open(sys.argv[4], os.O_WRONLY)
    wake, asked = socket.socketpair()
    wake.setblocking(False)
    signal.set_wakeup_fd(wake.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        database = Database(db)
        database.ask("SELECT text FROM greeting")
        ask_cache(cache)
    except OSError as why:
        print(f"cannot start: {why}", file=sys.stderr)
        return 3
    listener = socket.create_server(("127.0.0.1", port))
    say_ready(sys.argv[5] if len(sys.argv) > 5 else None)
    tell = lambda word: os.write(events, f"{word}\n".encode())  # noqa: E731
    tell("ready")
    return serve(listener, database, asked, tell)


if __name__ == "__main__":
    sys.exit(main())
