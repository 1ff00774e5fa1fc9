"""The steps of the matrix by asyncssh, which sends many requests at once."""
import asyncio
import json
import os
import sys

import asyncssh

job = json.load(sys.stdin)


async def main():
    keys = [job["key"]] if "key" in job else None
    async with asyncssh.connect(job["host"], job["port"], username=job["user"], password=job.get("password"), client_keys=keys, known_hosts=job["known"], agent_path=None, **({"preferred_auth": job["preferred"]} if "preferred" in job else {})) as connection:
        async with connection.start_sftp_client() as sftp:
            for step in job["steps"]:
                if "put" in step:
                    await sftp.put(step["put"], step["as"])
                elif "get" in step:
                    await sftp.get(step["get"], step["as"])
                elif "resumePut" in step:
                    async with sftp.open(step["as"], "ab") as remote:
                        with open(step["resumePut"], "rb") as local:
                            local.seek((await sftp.stat(step["as"])).size)
                            await remote.write(local.read())
                elif "resumeGet" in step:
                    async with sftp.open(step["resumeGet"], "rb") as remote:
                        await remote.seek(os.path.getsize(step["as"]))
                        with open(step["as"], "ab") as local:
                            local.write(await remote.read())
                elif "list" in step:
                    for entry in await sftp.readdir(step["list"]):
                        print(entry.longname)
                elif "rename" in step:
                    await sftp.posix_rename(step["rename"], step["to"])
                elif "mkdir" in step:
                    await sftp.mkdir(step["mkdir"])
                elif "rmdir" in step:
                    await sftp.rmdir(step["rmdir"])
                elif "remove" in step:
                    await sftp.remove(step["remove"])


asyncio.run(main())
