"""Puts and gets small files in one session with ftplib, resuming the control connection's TLS session; prints the seconds of both."""
import ftplib
import io
import json
import ssl
import sys
import time

settings = json.loads(sys.argv[1])


class Session(ftplib.FTP_TLS):
    def ntransfercmd(self, cmd, rest=None):
        connection, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return Reusing.wrap(self, connection), size


class Reusing(ssl.SSLSocket):
    """Some servers answer a close_notify with none of their own; the reply on the control connection tells whether all is well."""

    @staticmethod
    def wrap(ftp, connection):
        return ftp.context.wrap_socket(connection, server_hostname="localhost", session=ftp.sock.session)

    def unwrap(self):
        try:
            return super().unwrap()
        except OSError:
            return None


context = ssl.create_default_context(cafile=settings["ca"])
context.sslsocket_class = Reusing
ftp = Session(context=context, timeout=60)
ftp.connect("localhost", settings["port"])
ftp.login(settings["user"], settings["password"])
ftp.prot_p()
content = b"x" * 4096
begin = time.monotonic()
for index in range(settings["files"]):
    ftp.storbinary(f"STOR {settings['folder']}/f{index}", io.BytesIO(content))
between = time.monotonic()
received = []
for index in range(settings["files"]):
    ftp.retrbinary(f"RETR small/f{index}", received.append)
end = time.monotonic()
if sum(map(len, received)) != 4096 * settings["files"]:
    sys.exit("not everything came back")
ftp.quit()
print(between - begin, end - between)
