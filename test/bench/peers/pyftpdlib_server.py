"""pyftpdlib as FTPS server of the bench; settings come as a JSON file."""
import ctypes
import hmac
import json
import logging
import sys

from OpenSSL import SSL
from pyftpdlib.authorizers import AuthenticationFailed, DummyAuthorizer
from pyftpdlib.handlers import TLS_FTPHandler
from pyftpdlib.servers import FTPServer

with open(sys.argv[1]) as file:
    settings = json.load(file)

crypt = ctypes.CDLL("libcrypt.so.1").crypt
crypt.restype = ctypes.c_char_p


class Authorizer(DummyAuthorizer):
    def validate_authentication(self, username, password, handler):
        stored = settings["hash"].encode()
        if username != settings["user"] or not hmac.compare_digest(crypt(password.encode(), stored), stored):
            raise AuthenticationFailed("Authentication failed.")


class Handler(TLS_FTPHandler):
    certfile = settings["certificate"]
    tls_control_required = True
    tls_data_required = True
    passive_ports = range(settings["passive"], settings["passive"] + 16)


authorizer = Authorizer()
authorizer.add_user(settings["user"], "", settings["home"], perm="elradfmwMT")
Handler.authorizer = authorizer
Handler.ssl_context = None
context = SSL.Context(SSL.TLS_SERVER_METHOD)
context.use_certificate_chain_file(settings["certificate"])
context.use_privatekey_file(settings["certificate"])
context.set_cipher_list(settings["cipher"].encode())
Handler.ssl_context = context
logging.basicConfig(filename=settings["log"], level=logging.INFO)
server = FTPServer(("127.0.0.1", settings["port"]), Handler, backlog=1024)
server.max_cons = 20000
server.max_cons_per_ip = 0
server.serve_forever()
