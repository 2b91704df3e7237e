#!/usr/bin/python3
"""A daemon that looks after each command 50 times a second, until that has ended or its time is up.

    polls.py monotonic|time   the clock of the module time that it goes by
"""

import http.server
import json
import os
import signal
import socketserver
import subprocess
import sys
import time

clock = getattr(time, sys.argv[1])


def execute(command, limit):
    """Returns the answer's status and what it says."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    end = clock() + limit
    while process.poll() is None:
        if clock() > end:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return 408, {"code": "TIMEOUT"}
        time.sleep(0.02)
    # What the shape's commands write fits into the pipe.
    return 200, {"exitCode": process.returncode, "result": process.stdout.read().decode()}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(200, {})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(*execute(asked["command"], asked.get("timeout", float("inf"))))

    def answer(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


Server(("0.0.0.0", 2280), Handler).serve_forever()
