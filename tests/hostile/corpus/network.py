"""Ways to a network, and to processes of this machine that listen."""

from tests.hostile.corpus.registry import scripts

scripts(
    proved=True,
    connects="import socket; socket.create_connection(('127.0.0.1', $port), 1).send(b'x')",
    connects_by_http="""
import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/latest/meta-data', timeout=1)
""",
    connects_by_asyncio="""
import asyncio
async def main(): await asyncio.open_connection('127.0.0.1', $port)
asyncio.run(main())
""",
    connects_without_blocking="""
import socket
s = socket.socket(); s.setblocking(False); s.connect_ex(('127.0.0.1', $port))
""",
    sends_udp="""
import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', $udp))
""",
    connects_to_a_path="import socket; socket.socket(socket.AF_UNIX).connect('$unix')",
    connects_to_an_abstract_name="""
import socket; socket.socket(socket.AF_UNIX).connect(chr(0) + '$abstract')
""",
    connects_from_a_program="""
import subprocess, sys
source = 'import socket; socket.create_connection(("127.0.0.1", $port))'
subprocess.run([sys.executable, '-c', source])
""",
)

scripts(
    listens="""
import socket
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print('ESCAPED'); s.accept()
""",
    asks_a_name_server="import socket; print('ESCAPED', socket.getaddrinfo('localhost', 80))",
    opens_rare_sockets="""
import socket
for family, kind in ((socket.AF_PACKET, 3), (socket.AF_NETLINK, 3), (socket.AF_INET, 3), (40, 1),
                     (socket.AF_ALG, 5), (44, 3), (socket.AF_INET6, 1), (socket.AF_UNIX, 1)):
    try: socket.socket(family, kind); print('ESCAPED', family)
    except OSError: pass
raise SystemExit(1)
""",
    talks_over_what_it_inherited="""
import os, socket
for n in range(0, 256):
    for act in (lambda: socket.socket(fileno=n).send(b'x'),
                lambda: socket.socket(fileno=n).getsockname(),
                lambda: socket.send_fds(socket.socket(fileno=n), [b'x'], [0])):
        try: act(); print('ESCAPED', n)
        except OSError: pass
raise SystemExit(1)
""",
)
