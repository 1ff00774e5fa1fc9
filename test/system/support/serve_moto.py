"""Serves moto until standard input ends, on a free port that is written to standard output. Programs that change moto import `serve`."""

import logging
import sys
from collections.abc import Callable

from moto.server import ThreadedMotoServer


def serve(ready: Callable[[int], None] = lambda port: None) -> None:
    """`ready` is told the port before anybody else."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    ready(port)
    print(port, flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    serve()
