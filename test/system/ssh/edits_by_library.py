"""Files changed in place by paramiko and asyncssh, as scripts of partners do it."""
import asyncio
import json
import sys
import zipfile

import asyncssh
import paramiko

job = json.load(sys.stdin)
client = paramiko.SSHClient()
client.load_host_keys(job["known"])
client.connect(job["host"], port=job["port"], username=job["user"], password=job["password"], look_for_keys=False, allow_agent=False)
sftp = client.open_sftp()
with sftp.open("/edited", "w") as file:
    file.write("0123456789")
with sftp.open("/edited", "r+") as file:
    file.seek(4)
    assert file.read(2) == b"45"
    file.seek(4)
    file.write("ABC")
    file.flush()
    file.seek(0)
    assert file.read() == b"0123ABC789"
    file.truncate(8)
    assert file.stat().st_size == 8
assert sftp.open("/edited").read() == b"0123ABC7"
sftp.truncate("/edited", 3)
with sftp.open("/edited", "a") as file:
    file.write("end")
with sftp.open("/edited", "a+") as file:
    file.write("!")
    file.seek(0)
    assert file.read() == b"012end!"
with sftp.open("/archive.zip", "w") as file, zipfile.ZipFile(file, "w") as archive:
    file.set_pipelined(True)
    archive.writestr("one", "1" * 6_000_000)
    archive.writestr("two", "2" * 100_000)
with sftp.open("/archive.zip", "r") as file:
    file.prefetch()
    assert zipfile.ZipFile(file).testzip() is None
with sftp.open("/new", "wx") as file:
    file.write("new")
try:
    sftp.open("/new", "wx")
    raise AssertionError("a name that is taken was taken")
except IOError:
    pass
client.close()


async def main():
    async with asyncssh.connect(job["host"], job["port"], username=job["user"], password=job["password"], client_keys=None, known_hosts=job["known"], agent_path=None) as connection:
        async with connection.start_sftp_client() as sftp:
            async with sftp.open("/pieces", "wb+") as file:
                # From the end to the beginning, many at once.
                await asyncio.gather(*(file.write(bytes([at % 251]) * 50_000, at * 50_000) for at in reversed(range(200))))
                assert await file.read(10, 199 * 50_000) == bytes([199]) * 10
                await file.truncate(9_999_990)
            content = b"".join(bytes([at % 251]) * 50_000 for at in range(200))[:9_999_990]
            async with sftp.open("/pieces", "rb") as file:
                assert await file.read() == content
            await sftp.copy("/pieces", "/pieces.copy", remote_only=True)
            async with sftp.open("/pieces.copy", "rb") as file:
                assert await file.read() == content
            await sftp.truncate("/pieces", 5)
            assert await sftp.getsize("/pieces") == 5
            assert (await sftp.statvfs("/")).bavail > 0


asyncio.run(main())
print("as it should be")
