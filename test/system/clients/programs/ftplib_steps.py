"""Python's ftplib, with the session of the control connection resumed on each data connection."""

import ftplib
import json
import os
import ssl
import sys


class Tied(ftplib.FTP_TLS):
    """ftplib by itself resumes nothing (Python issue 19500); these lines are what its users add."""

    implicit = False

    def connect(self, *args, **kwargs):
        welcome = self._connect_implicit(*args, **kwargs) if self.implicit else super().connect(*args, **kwargs)
        return welcome

    def _connect_implicit(self, host, port):
        import socket

        self.host, self.port = host, port
        self.sock = self.context.wrap_socket(socket.create_connection((host, port), 30), server_hostname=host)
        self.af = self.sock.family
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome

    def ntransfercmd(self, cmd, rest=None):
        conn, size = ftplib.FTP.ntransfercmd(self, cmd, rest)
        return self.context.wrap_socket(conn, server_hostname=self.host, session=self.sock.session), size


def perform(ftp, name, first, second=None):
    if name == "make-folder":
        ftp.mkd(first)
    elif name == "list":
        ftp.dir(first)
    elif name == "upload":
        with open(first, "rb") as file:
            ftp.storbinary(f"STOR {second}", file)
    elif name == "download":
        with open(second, "wb") as file:
            ftp.retrbinary(f"RETR {first}", file.write)
    elif name == "resume-download":
        with open(second, "ab") as file:
            ftp.retrbinary(f"RETR {first}", file.write, rest=os.path.getsize(second))
    elif name == "resume-upload":
        with open(first, "rb") as file:
            there = ftp.size(second)
            file.seek(there)
            ftp.storbinary(f"STOR {second}", file, rest=there)
    elif name == "rename":
        ftp.rename(first, second)
    elif name == "delete":
        ftp.delete(first)


job = json.load(sys.stdin)
context = ssl.create_default_context(cafile=job["ca"])
context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2 if job["version"] == "1.2" else ssl.TLSVersion.TLSv1_3
ftp = Tied(context=context, timeout=30)
ftp.implicit = job["mode"] == "implicit"
ftp.connect(job["host"], job["port"])
ftp.login(job["user"], job["password"], secure=not ftp.implicit)
ftp.prot_p()
ftp.voidcmd("TYPE I")
for step in job["steps"]:
    perform(ftp, *step)
ftp.quit()
