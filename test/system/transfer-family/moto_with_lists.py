"""moto, whose Transfer Family tells of servers and users by name only: the two lists are added, of what moto itself keeps."""

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

if __name__ == "__main__":
    serve()
