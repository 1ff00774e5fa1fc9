"""A current libcurl, through PycURL, with one handle for all steps."""

import io
import json
import os
import sys

import pycurl

job = json.load(sys.stdin)
base = f"{'ftp' if job['mode'] == 'explicit' else 'ftps'}://{job['host']}:{job['port']}/"
version = (
    (pycurl.SSLVERSION_TLSv1_2, pycurl.SSLVERSION_MAX_TLSv1_2) if job["version"] == "1.2" else (pycurl.SSLVERSION_TLSv1_3, pycurl.SSLVERSION_MAX_TLSv1_3)
)
curl = pycurl.Curl()


def perform(name, first, second=None):
    curl.reset()
    curl.setopt(pycurl.USERNAME, job["user"])
    curl.setopt(pycurl.PASSWORD, job["password"])
    curl.setopt(pycurl.CAINFO, job["ca"])
    curl.setopt(pycurl.USE_SSL, pycurl.USESSL_ALL)
    curl.setopt(pycurl.SSLVERSION, version[0] | version[1])
    curl.setopt(pycurl.TIMEOUT, 60)
    if name in ("upload", "resume-upload"):
        with open(first, "rb") as file:
            curl.setopt(pycurl.URL, base + second)
            curl.setopt(pycurl.UPLOAD, 1)
            curl.setopt(pycurl.READDATA, file)
            curl.setopt(pycurl.INFILESIZE_LARGE, os.path.getsize(first))
            if name == "resume-upload":
                curl.setopt(pycurl.RESUME_FROM_LARGE, -1)
                curl.setopt(pycurl.SEEKFUNCTION, lambda offset, origin: file.seek(offset, origin) and None)
            curl.perform()
    elif name in ("download", "resume-download"):
        with open(second, "ab" if name == "resume-download" else "wb") as file:
            curl.setopt(pycurl.URL, base + first)
            curl.setopt(pycurl.WRITEDATA, file)
            curl.setopt(pycurl.RESUME_FROM_LARGE, os.path.getsize(second) if name == "resume-download" else 0)
            curl.perform()
    elif name == "list":
        listing = io.BytesIO()
        curl.setopt(pycurl.URL, base + first + "/")
        curl.setopt(pycurl.WRITEDATA, listing)
        curl.perform()
        print(listing.getvalue().decode())
    else:
        quote = {"make-folder": [f"MKD /{first}"], "rename": [f"RNFR /{first}", f"RNTO /{second}"], "delete": [f"DELE /{first}"]}[name]
        curl.setopt(pycurl.URL, base)
        curl.setopt(pycurl.NOBODY, 1)
        curl.setopt(pycurl.QUOTE, quote)
        curl.perform()


for step in job["steps"]:
    perform(*step)
