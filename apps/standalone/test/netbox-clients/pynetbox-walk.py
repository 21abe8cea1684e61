"""The ways in which scripts use pynetbox, against one system. Prints the results as one JSON object.

Arguments: the address of the system, and an API token.
"""

import json
import sys

import pynetbox

url, token = sys.argv[1:3]


def client(**options):
    return pynetbox.api(url, token=token, **options)


nb = client()
pbs = nb.plugins.pbs
seen = {"version": nb.version, "status": sorted(nb.status())}

# Creations: one, then several.
first = pbs.servers.create(name="py-0", host="192.0.2.1", token_id="root@pam!walk")
rest = pbs.servers.create(
    [{"name": f"py-{n}", "host": "192.0.2.1", "token_id": "root@pam!walk"} for n in range(1, 5)]
)
servers = [first, *rest]
pbs.snapshots.create(
    [
        {
            "server": first.id,
            "datastore_name": "tank",
            "backup_type": "vm",
            "backup_id": "100",
            "backup_time": f"2026-05-{day:02}T02:00:00Z",
        }
        for day in range(1, 26)
    ]
)

# Reads.
seen["all"] = [str(server) for server in pbs.servers.all()]
seen["pages"] = [server.name for server in pbs.servers.all(limit=2)]
seen["length"] = len(pbs.snapshots.all(limit=10))
seen["filter"] = sorted(server.name for server in pbs.servers.filter(name=["py-1", "py-3"]))
seen["search"] = sorted(server.name for server in pbs.servers.filter("py-", verify_ssl=True, name__n="py-0"))
seen["lookup"] = sorted(server.name for server in pbs.servers.filter(name__iew="-2"))
seen["none"] = len(pbs.snapshots.filter(server_id=first.id, size_bytes__gt=0))
seen["get"] = [pbs.servers.get(first.id).name, pbs.servers.get(name="py-4").id == servers[4].id, pbs.servers.get(999999)]
seen["count"] = [pbs.servers.count(), pbs.snapshots.count(server="py-0"), pbs.snapshots.count(server="py-1")]
snapshot = next(iter(pbs.snapshots.filter(server="py-0", ordering="backup_time", limit=1)))
seen["snapshot"] = [str(snapshot), snapshot.server.name, snapshot.backup_type.value, str(snapshot.backup_type)]
seen["status_choice"] = [first.status.value, str(first.status)]

# Changes.
first.host = "192.0.2.77"
seen["saved"] = [first.save(), pbs.servers.get(first.id).host]
rest[0].port = 443
seen["saved_rows"] = [server.port for server in pbs.servers.update([rest[0], {"id": rest[1].id, "port": 8443}])]
seen["updated"] = [rest[2].update({"verify_ssl": False}), pbs.servers.get(rest[2].id).verify_ssl]
changed = pbs.servers.get(rest[1].id)
seen["fresh"] = [changed.full_details(), changed.port]

# Choices.
seen["choices"] = [choice["value"] for choice in pbs.servers.choices()["status"]]

# Threads and cursors.
seen["threads"] = len({row.id for row in client(threading=True).plugins.pbs.snapshots.all(limit=4)})
seen["cursor"] = len([row.id for row in client(pagination="cursor").plugins.pbs.snapshots.all(limit=4)])

# The filters of the OpenAPI document.
strict = client(strict_filters=True).plugins.pbs
seen["strict"] = len(strict.servers.filter(name="py-0"))
try:
    list(strict.servers.filter(bogus="1"))
    seen["strict_bogus"] = "accepted"
except pynetbox.core.query.ParameterValidationError as refused:
    seen["strict_bogus"] = "bogus" in str(refused)

# A branch.
branch = pbs.branches.create(name="from pynetbox")
with nb.activate_branch(branch):
    inside = pbs.servers.get(first.id)
    inside.host = "192.0.2.99"
    inside.save()
    seen["in_branch"] = pbs.servers.get(first.id).host
seen["in_main"] = pbs.servers.get(first.id).host

# Refusals.
try:
    pbs.servers.create(name="py-0", host="192.0.2.1", token_id="root@pam!walk")
except pynetbox.RequestError as refused:
    seen["taken"] = [refused.req.status_code, json.loads(refused.error)]

# Deletions: one, then several.
seen["deleted"] = [rest[3].delete(), pbs.servers.delete([server.id for server in rest[:3]])]
seen["left"] = [server.name for server in pbs.servers.all()]

print(json.dumps(seen))
