"""pyas2lib as the partner: a request of JSON a line, an answer of JSON a line. Messages are base64, headers and all."""
import base64
import json
import re
import sys

# oscrypto 1.3.0 takes OpenSSL's version for unreadable where a number in it has two digits.
search = re.search
re.search = lambda pattern, *more: search(r"\b(\d+\.\d+\.\d+[a-z]*)\b" if pattern == r"\b(\d\.\d\.\d[a-z]*)\b" else pattern, *more)
from pyas2lib import Mdn, Message, Organization, Partner  # noqa: E402

re.search = search

us = them = None
sent = {}


def raw(message):
    return base64.b64encode(message.headers_str + b"\r\n" + message.content).decode()


def build(request):
    message = Message(us, them)
    message.build(
        base64.b64decode(request["content"]),
        filename=request["name"],
        content_type=request["type"],
        disposition_notification_to="edi@example",
    )
    sent[message.message_id] = message
    return {"message": raw(message), "id": message.message_id, "mic": message.mic.decode() if message.mic else None}


def parse(request):
    message = Message()
    status, problem, mdn = message.parse(base64.b64decode(request["message"]), lambda _: us, lambda _: them, lambda *_: False)
    payload = message.payload
    files = [part for part in payload.walk() if not part.is_multipart()] if payload else []
    return {
        "status": status,
        "problem": str(problem[0]) if problem[0] else None,
        "mic": message.mic.decode() if message.mic else None,
        "files": [[part.get_filename(), part.get_content_type(), base64.b64encode(part.get_payload(decode=True)).decode()] for part in files],
        "mdn": raw(mdn) if mdn else None,
    }


def receipt(request):
    status, detail = Mdn().parse(base64.b64decode(request["message"]), lambda message_id, _: sent[message_id])
    return {"status": status, "detail": detail}


for line in sys.stdin:
    request = json.loads(line)
    if "us" in request:
        us = Organization(**{**request["us"], **{key: value.encode() for key, value in request["us"].items() if key.endswith("_key")}})
        them = Partner(**{**request["them"], **{key: value.encode() for key, value in request["them"].items() if key.endswith("_cert")}})
    answer = {"build": build, "parse": parse, "receipt": receipt, "meet": lambda _: {}}[request["do"]](request)
    print(json.dumps(answer), flush=True)
