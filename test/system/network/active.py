# Python's ftplib in active mode, which never resumes a TLS session: sends a file and brings it back. Arguments: host, port, CA, user, password, file, copy.
import ftplib
import ssl
import sys

host, port, ca, user, password, file, copy = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
context.check_hostname = False
client = ftplib.FTP_TLS(context=context, timeout=30)
client.connect(host, int(port))
client.login(user, password)
client.prot_p()
client.set_pasv(False)
with open(file, "rb") as source:
    print(client.storbinary("STOR python.bin", source))
with open(copy, "wb") as target:
    print(client.retrbinary("RETR python.bin", target.write))
client.quit()
