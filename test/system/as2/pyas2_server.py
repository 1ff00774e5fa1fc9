"""A partner around pyas2lib: takes messages at /as2, and sends them when it is told to at /send. Settings are JSON, the first argument."""
import base64
import json
import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

# oscrypto 1.3.0 takes OpenSSL's version for unreadable where a number in it has two digits.
search = re.search
re.search = lambda pattern, *more: search(r"\b(\d+\.\d+\.\d+[a-z]*)\b" if pattern == r"\b(\d\.\d\.\d[a-z]*)\b" else pattern, *more)
from pyas2lib import Mdn, Message, Organization, Partner  # noqa: E402

re.search = search

settings = json.loads(sys.argv[1])
pem = lambda name: open(settings[name], "rb").read()
own = Organization("Them", sign_key=pem("key"), sign_key_pass=None, decrypt_key=pem("key"), decrypt_key_pass=None)
sent = {}
receipts = {}
taken = {}
count = {"taken": 0}
arrived = threading.Condition()


def partner(**options):
    certificate = pem("certificate")
    return Partner("Us", verify_cert=certificate, encrypt_cert=certificate, validate_certs=False, **options)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, re.sub(r"\s*[\r\n]+\s*", " ", value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
            if size == 0:
                return b"".join(pieces)

    def do_POST(self):
        body = self.body()
        if self.path == "/send":
            result = json.dumps(send(json.loads(body))).encode()
            return self.answer(200, {"Content-Type": "application/json"}, result)
        if self.path == "/receipt":
            with arrived:
                arrived.wait_for(lambda: body.decode() in receipts, 30)
            return self.answer(200, {"Content-Type": "application/json"}, json.dumps(receipts.get(body.decode())).encode())
        raw = b"".join(f"{name}: {value}\r\n".encode() for name, value in self.headers.items()) + b"\r\n" + body
        if "multipart/report" in raw[:100000].decode("latin1") and b"disposition-notification-to" not in raw[:5000].lower():
            status, detail = Mdn().parse(raw, lambda message_id, _: sent[message_id])
            with arrived:
                receipts[next(key for key in sent if key.encode() in raw)] = [status, detail]
                arrived.notify_all()
            return self.answer(200, {}, b"")
        message = Message()
        status, problem, mdn = message.parse(raw, lambda _: own, lambda _: partner(), lambda message_id, _: False)
        count["taken"] += 1
        files = [part for part in message.payload.walk() if not part.is_multipart()]
        taken[message.message_id] = {"status": status, "name": files[0].get_filename(), "types": [part.get_content_type() for part in files], "signed": message.signed, "encrypted": message.encrypted, "compressed": message.compressed}
        with open(f"{settings['folder']}/taken", "ab") as log:
            log.write(json.dumps({"id": message.message_id, "problem": str(problem[0]) if problem[0] else None, **taken[message.message_id]}).encode() + b"\n")
        for part in files:
            with open(f"{settings['folder']}/{part.get_filename()}.taken", "wb") as file:
                file.write(part.get_payload(decode=True))
        if mdn and mdn.mdn_mode == "ASYNC":
            self.answer(200, {}, b"")
            requests.post(mdn.mdn_url, headers=flat(mdn.headers), data=mdn.content, verify=settings["ca"], timeout=20)
        elif mdn:
            self.answer(200, flat(mdn.headers), mdn.content)
        else:
            self.answer(200, {}, b"")


def flat(headers):
    return {name: re.sub(r"\s*[\r\n]+\s*", " ", value) for name, value in headers.items()}


def send(request):
    own.mdn_url = settings["own"]
    message = Message(own, partner(**request["options"]))
    content = open(request["file"], "rb").read()
    message.build(content, filename=request["name"], content_type="application/octet-stream", disposition_notification_to="edi@example", message_id=request.get("id"))
    sent[message.message_id] = message
    response = requests.post(request["url"], headers=flat(message.headers), data=message.content, verify=settings["ca"], timeout=20)
    if not response.content:
        return {"id": message.message_id, "code": response.status_code}
    raw = b"".join(f"{name}: {value}\r\n".encode() for name, value in response.headers.items()) + b"\r\n" + response.content
    status, detail = Mdn().parse(raw, lambda *_: message)
    return {"id": message.message_id, "code": response.status_code, "status": status, "detail": detail}


server = ThreadingHTTPServer(("127.0.0.1", settings["port"]), Handler)
print("ready", flush=True)
server.serve_forever()
