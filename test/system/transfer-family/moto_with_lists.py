"""moto, whose Transfer Family tells of servers and users by name only: the two lists are added, of what moto itself keeps; and what it has not, profiles, certificates, agreements and connectors of AS2, kept as they are given."""

import json

from moto.transfer import responses, urls
from moto.transfer.responses import TransferResponse
from serve_moto import serve


def page(response: TransferResponse, items: list, key: str) -> str:
    """Pages of two, so that more than one is asked for."""
    start = int(response._get_param("NextToken") or 0)
    answer = {key: items[start : start + 2]}
    if start + 2 < len(items):
        answer["NextToken"] = str(start + 2)
    return json.dumps(answer)


def list_servers(self: TransferResponse) -> str:
    return page(self, [{"ServerId": id, "Arn": f"arn:aws:transfer:eu-central-1:123456789012:server/{id}"} for id in self.transfer_backend.servers], "Servers")


def list_users(self: TransferResponse) -> str:
    server_id = self._get_param("ServerId")
    users = self.transfer_backend.servers[server_id]._users
    answer = json.loads(page(self, [{"UserName": user.user_name, "Arn": user.arn} for user in users], "Users"))
    return json.dumps({**answer, "ServerId": server_id})


TransferResponse.list_servers = list_servers
TransferResponse.list_users = list_users


def add_kind(kind: str, prefix: str, verb: str = "create", **defaults: str) -> None:
    kept: dict = {}
    key = f"{kind}Id"
    name = kind.lower()

    def create(self: TransferResponse) -> str:
        id = f"{prefix}-{len(kept):017x}"
        kept[id] = {**defaults, **json.loads(self.body), key: id}
        return json.dumps({key: id})

    def describe(self: TransferResponse) -> str:
        return json.dumps({kind: kept[self._get_param(key)]})

    def list_all(self: TransferResponse) -> str:
        server_id = self._get_param("ServerId")
        found = [{key: id} for id, one in kept.items() if server_id is None or one.get("ServerId") == server_id]
        return page(self, found, f"{kind}s")

    setattr(TransferResponse, f"{verb}_{name}", create)
    setattr(TransferResponse, f"describe_{name}", describe)
    setattr(TransferResponse, f"list_{name}s", list_all)


add_kind("Profile", "p")
add_kind("Certificate", "cert", verb="import", Status="ACTIVE")
add_kind("Agreement", "a", Status="ACTIVE")
add_kind("Connector", "c")

if __name__ == "__main__":
    serve()
