"""Puts people and groups into a domain that samba-tool has provisioned. Reads what from standard input, as JSON."""
import json
import sys

from samba.auth import system_session
from samba.param import LoadParm
from samba.samdb import SamDB

wanted = json.load(sys.stdin)
parameters = LoadParm()
parameters.load(sys.argv[1])
directory = SamDB(url=parameters.private_path("sam.ldb"), session_info=system_session(), lp=parameters)
directory.transaction_start()
for name, password in wanted["users"].items():
    directory.newuser(name, password)
for group in wanted["groups"]:
    directory.newgroup(group)
for group, members in wanted["members"].items():
    directory.add_remove_group_members(group, members)
for change in wanted["changes"]:
    directory.modify_ldif(change)
directory.transaction_commit()
