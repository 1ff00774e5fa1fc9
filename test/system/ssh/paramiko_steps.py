"""The steps of the matrix by paramiko, as scripts of partners use it."""
import json
import os
import sys

import paramiko

job = json.load(sys.stdin)
client = paramiko.SSHClient()
client.load_host_keys(job["known"])
client.connect(job["host"], port=job["port"], username=job["user"], password=job.get("password"), key_filename=job.get("key"), look_for_keys=False, allow_agent=False)
sftp = client.open_sftp()
for step in job["steps"]:
    if "put" in step:
        sftp.put(step["put"], step["as"])
    elif "get" in step:
        sftp.get(step["get"], step["as"])
    elif "resumePut" in step:
        with open(step["resumePut"], "rb") as local, sftp.open(step["as"], "ab") as remote:
            local.seek(sftp.stat(step["as"]).st_size)
            remote.write(local.read())
    elif "resumeGet" in step:
        with sftp.open(step["resumeGet"], "rb") as remote, open(step["as"], "ab") as local:
            remote.seek(os.path.getsize(step["as"]))
            local.write(remote.read())
    elif "list" in step:
        for entry in sftp.listdir_attr(step["list"]):
            print(entry.longname)
    elif "rename" in step:
        sftp.posix_rename(step["rename"], step["to"])
    elif "mkdir" in step:
        sftp.mkdir(step["mkdir"])
    elif "rmdir" in step:
        sftp.rmdir(step["rmdir"])
    elif "remove" in step:
        sftp.remove(step["remove"])
client.close()
