"""pyinfra's inventory: the nodes of BENCH_INVENTORY that BENCH_NODES names."""

import os
from pathlib import Path

_rows = [line.split() for line in Path(os.environ["BENCH_INVENTORY"]).read_text().splitlines()]
nodes = [
    (
        name,
        {
            "ssh_hostname": host,
            "ssh_port": int(port),
            "ssh_user": user,
            "ssh_key": key,
            "ssh_known_hosts_file": known,
            "ssh_strict_host_key_checking": "yes",
            "ssh_look_for_keys": False,
            "ssh_allow_agent": False,
        },
    )
    for name, host, port, user, key, known in _rows
    if name in os.environ["BENCH_NODES"].split()
]
