"""The node as pyinfra's own operations make it: pyinfra -y inventory.py deploy.py"""

from pyinfra import host
from pyinfra.operations import files, server

files.put(name="Modules at boot", src="mpls.conf", dest="/etc/modules-load.d/mpls.conf")
for module in ("mpls_router", "mpls_iptunnel", "mpls_gso"):
    server.modprobe(name=f"Load {module}", module=module)
for key, value in host.data.sysctls.items():
    server.sysctl(name=f"Set {key}", key=key, value=value, persist=True, persist_file="/etc/sysctl.d/90-mpls.conf")
routes = files.template(
    name="Addresses and routes",
    src="routes.batch.j2",
    dest="/etc/mpls/routes.batch",
    loopback=host.data.loopback,
    push=host.data.push,
)
labels = files.template(name="Labels", src="labels.batch.j2", dest="/etc/mpls/labels.batch", pop=host.data.pop)
files.put(name="Unit", src="mpls-routes.service", dest="/etc/systemd/system/mpls-routes.service")
server.shell(
    name="Apply addresses and routes",
    commands=["/sbin/ip -batch /etc/mpls/routes.batch"],
    _if=routes.did_change,
)
server.shell(
    name="Apply labels",
    commands=["/sbin/ip -f mpls -batch /etc/mpls/labels.batch"],
    _if=labels.did_change,
)
