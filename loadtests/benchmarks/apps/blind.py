"""A server that answers whatever arrives without looking: what a load generator can drive at most.

python -m loadtests.benchmarks.apps.blind PORT
"""

import contextlib
import select
import socket
import sys

from loadtests.benchmarks.apps.constant import ANSWER

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(ANSWER), ANSWER)


def main() -> None:
    """Serve until killed. A request must fit into one segment."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=4096)
    poll = select.epoll()
    poll.register(listener.fileno(), select.EPOLLIN)
    clients: dict[int, socket.socket] = {}
    while True:
        for descriptor, _ in poll.poll():
            client = clients.get(descriptor)
            if client is None:
                client, _ = listener.accept()
                clients[client.fileno()] = client
                poll.register(client.fileno(), select.EPOLLIN)
                continue
            with contextlib.suppress(ConnectionError):
                if client.recv(65536):
                    client.send(WHOLE)
                    continue
            del clients[descriptor]
            client.close()


if __name__ == "__main__":
    main()
