"""Receives the events of a webhook, checks who sent them, and prints each once.

    RECEIVER_SECRET   what the registry showed when the webhook was made: whsec_…
    RECEIVER_PORT     8090 if absent

Standard library only. In production a proxy that speaks TLS stands before it.
"""

import base64
import hashlib
import hmac
import json
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

SECRET = base64.b64decode(os.environ["RECEIVER_SECRET"].removeprefix("whsec_"))
seen: set[str] = set()  # keep it with what you do with an event, in one transaction


def is_genuine(headers, body):
    if abs(time.time() - int(headers["webhook-timestamp"])) > 300:
        return False
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    # While two secrets overlap there are two signatures; one that fits is enough.
    given = [signature.removeprefix("v1,") for signature in headers["webhook-signature"].split()]
    return any(hmac.compare_digest(wanted, signature) for signature in given)


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            genuine = is_genuine(self.headers, body)
        except (KeyError, TypeError, ValueError):
            genuine = False
        if genuine and self.headers["webhook-id"] not in seen:
            event = json.loads(body)
            print(event["type"], event.get("subject"), event["data"], flush=True)
            seen.add(self.headers["webhook-id"])
        self.send_response(204 if genuine else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer(("127.0.0.1", int(os.environ.get("RECEIVER_PORT", "8090"))), Receiver).serve_forever()
