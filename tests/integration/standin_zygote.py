"""A zygote and worker that speak the seam of ARCHITECTURE.md: real forks, sockets, HTTP.

It lets the supervisor be tested apart from the runtime. The artifact file says how the worker
behaves: `bad` is refused (65), `crash` exits 1, anything else is echoed with the pid.
"""

import array
import json
import os
import selectors
import signal
import socket
import sys
import time

from runtime.launch import from_env

FDS = socket.CMSG_SPACE(16 * 4)


def received(sock):
    data, ancillary, _, _ = sock.recvmsg(65536, FDS)
    fds = array.array("i")
    for _, _, raw in ancillary:
        fds.frombytes(raw)
    return (json.loads(data) if data else None), list(fds)


def tell(sock, packet, fds=()):
    rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))] if fds else []
    sock.sendmsg([json.dumps(packet).encode()], rights)


class Worker:
    def __init__(self, listener, control, launch, first_byte):
        self.listener, self.control, self.first_byte = listener, control, first_byte
        with open(launch.revisions[0].artifact) as file:
            self.text = file.read()
        self.selector = selectors.DefaultSelector()
        self.conns = {}
        self.requests, self.draining, self.shed = 0, False, 0

    def run(self):
        if self.text == "bad":
            print("the plan is bad", flush=True)
            return 65
        if self.text == "crash":
            return 1
        print("serving", self.text, flush=True)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.selector.register(self.control, selectors.EVENT_READ)
        tell(self.control, {"t": "ready", "phases": {"load": 1.0}})
        report = time.monotonic() + 1
        while not self.draining:
            for key, _ in self.selector.select(max(0.0, report - time.monotonic())):
                if key.fileobj is self.control:
                    if not self.command():
                        return 70
                elif key.fileobj is self.listener:
                    self.accept()
                else:
                    self.readable(key.fileobj)
            if time.monotonic() >= report:
                report += 1
                self.stats()
        idle = list(self.conns)
        for at in range(0, len(idle), 16):
            tell(self.control, {"t": "park"}, [c.fileno() for c in idle[at : at + 16]])
        tell(self.control, {"t": "drained"})
        return 0

    def stats(self):
        tell(
            self.control,
            {"t": "stats", "concurrency": self.requests / 100, "requests": self.requests,
             "in_flight": 0, "connections": len(self.conns), "errors": 0, "revisions": {}},
        )  # fmt: skip
        self.requests = 0

    def command(self):
        packet, fds = received(self.control)
        if packet is None:
            return False
        if packet["t"] == "adopt":
            for fd in fds:
                self.add(socket.socket(fileno=fd))
        elif packet["t"] == "shed":
            for conn in list(self.conns)[: packet["count"]]:
                if not self.conns[conn]:
                    self.selector.unregister(conn)
                    del self.conns[conn]
                    tell(self.control, {"t": "park"}, [conn.fileno()])
                    conn.close()
        elif packet["t"] == "drain":
            self.draining = True
        return True

    def add(self, conn):
        conn.setblocking(False)
        self.conns[conn] = b""
        self.selector.register(conn, selectors.EVENT_READ)

    def accept(self):
        try:
            self.add(self.listener.accept()[0])
        except BlockingIOError:
            return

    def readable(self, conn):
        try:
            data = conn.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(conn)
            del self.conns[conn]
            conn.close()
            return
        self.conns[conn] += data
        if not self.conns[conn].endswith(b"\r\n\r\n"):
            return
        self.conns[conn] = b""
        body = json.dumps({"pid": os.getpid(), "text": self.text}).encode()
        conn.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        self.requests += 1
        if self.first_byte is not None:
            total = (time.monotonic() - self.first_byte) * 1000
            tell(self.control, {"t": "first_answer", "phases": {"answer": 0.1}, "total": total})
            self.first_byte = None


def main():
    supervisor = socket.socket(fileno=int(sys.argv[1]))
    wake, woken = socket.socketpair()
    for end in (wake, woken):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken.fileno())
    selector = selectors.DefaultSelector()
    selector.register(supervisor, selectors.EVENT_READ)
    selector.register(wake, selectors.EVENT_READ)
    names = {}
    while True:
        for key, _ in selector.select():
            if key.fileobj is wake:
                wake.recv(4096)
                while names:
                    pid, status = os.waitpid(-1, os.WNOHANG)
                    if not pid:
                        break
                    code = os.waitstatus_to_exitcode(status)
                    end = {
                        "code": code if code >= 0 else None,
                        "signal": -code if code < 0 else None,
                    }
                    tell(supervisor, {"t": "exited", "id": names.pop(pid), "pid": pid, **end})
                continue
            packet, fds = received(supervisor)
            if packet is None:
                return
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                supervisor.close()
                os.dup2(fds[2], 1)
                os.dup2(fds[2], 2)
                code = 1
                try:
                    sockets = [socket.socket(fileno=fd) for fd in fds[:2]]
                    code = Worker(*sockets, from_env(packet["env"]), packet["first_byte"]).run()
                finally:
                    os._exit(code)
            names[pid] = packet["id"]
            for fd in fds:
                os.close(fd)
            tell(supervisor, {"t": "forked", "id": packet["id"], "pid": pid})


main()
