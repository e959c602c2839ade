"""The Pod Security Standard `restricted`, and what we ask of our own pods beyond it."""

from collections.abc import Iterator
from typing import Any

from .objects import Object, ours, workloads

VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim"),
    *("projected", "secret"),
}
SYSCTLS = {
    *("kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ping_group_range"),
    *("net.ipv4.ip_unprivileged_port_start", "net.ipv4.tcp_syncookies"),
    *("net.ipv4.ip_local_reserved_ports", "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_rmem"),
    *("net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl", "net.ipv4.tcp_wmem"),
    "net.ipv4.tcp_keepalive_probes",
}
SECCOMP = {"RuntimeDefault", "Localhost"}


def restricted(objects: list[Object]) -> Iterator[str]:
    """No pod asks for a right that `restricted` refuses; namespaces enforce it."""
    for found in objects:
        labels = found["metadata"].get("labels", {})
        enforced = labels.get("pod-security.kubernetes.io/enforce")
        if found["kind"] == "Namespace" and enforced != "restricted":
            yield f"Namespace/{found['metadata']['name']}: pod-security: {enforced} is enforced"
    for pods in workloads(objects):
        for fault in _of_pod(pods.pod):
            yield f"{pods}: {fault}"
        for container in pods.containers:
            for fault in _of_container(container, pods.pod.get("securityContext", {})):
                yield f"{pods}: {container['name']}: {fault}"


def _of_pod(pod: Object) -> Iterator[str]:
    yield from (f"{f} is true" for f in ("hostNetwork", "hostPID", "hostIPC") if pod.get(f))
    for volume in pod.get("volumes", []):
        if unknown := volume.keys() - VOLUMES - {"name"}:
            yield f"volumes.{volume['name']}: {', '.join(sorted(unknown))} is not allowed"
    for sysctl in pod.get("securityContext", {}).get("sysctls", []):
        if sysctl["name"] not in SYSCTLS:
            yield f"sysctls: {sysctl['name']} is not allowed"


def _of_container(container: Object, pod: Object) -> Iterator[str]:
    own = container.get("securityContext", {})
    both = pod | own
    capabilities = own.get("capabilities", {})
    added = set(capabilities.get("add", [])) - {"NET_BIND_SERVICE"}
    kept = {
        "privileged is true": not own.get("privileged"),
        "allowPrivilegeEscalation is not false": own.get("allowPrivilegeEscalation") is False,
        "runAsNonRoot is not true": both.get("runAsNonRoot") is True,
        "runAsUser is root's": 0 not in (own.get("runAsUser"), pod.get("runAsUser")),
        "seccompProfile is not RuntimeDefault": (
            both.get("seccompProfile", {}).get("type") in SECCOMP
        ),
        "capabilities: ALL is not dropped": "ALL" in capabilities.get("drop", []),
        f"capabilities: {', '.join(sorted(added))} is added": not added,
        "procMount is not Default": own.get("procMount", "Default") == "Default",
        "appArmorProfile is Unconfined": (
            both.get("appArmorProfile", {}).get("type") != "Unconfined"
        ),
        "seLinuxOptions: user or role is set": (
            not both.get("seLinuxOptions", {}).keys() & {"user", "role"}
        ),
        "hostPort is set": not any("hostPort" in port for port in container.get("ports", [])),
        "a probe names a host": not any(map(_names_host, container.values())),
    }
    yield from (fault for fault, is_kept in kept.items() if not is_kept)


def _names_host(part: Any) -> bool:
    hows = [part.get(how, {}) for how in ("httpGet", "tcpSocket")] if isinstance(part, dict) else []
    return any(how.get("host") for how in hows)


def hardened(objects: list[Object]) -> Iterator[str]:
    """Our pods have no token, nothing to write on but bounded folders, and bounded memory."""
    for pods in ours(objects):
        for field in ("automountServiceAccountToken", "enableServiceLinks"):
            if pods.pod.get(field) is not False:
                yield f"{pods}: {field} is not false"
        for volume in pods.pod.get("volumes", []):
            if "emptyDir" in volume and not (volume["emptyDir"] or {}).get("sizeLimit"):
                yield f"{pods}: volumes.{volume['name']}: has no sizeLimit"
        for container in pods.containers:
            if not container.get("securityContext", {}).get("readOnlyRootFilesystem"):
                yield f"{pods}: readOnlyRootFilesystem is not true"
            resources = container.get("resources", {})
            memory = resources.get("limits", {}).get("memory")
            if memory is None or memory != resources.get("requests", {}).get("memory"):
                yield f"{pods}: resources: memory has no limit, or another than is requested"
            if "cpu" not in resources.get("requests", {}):
                yield f"{pods}: resources: no cpu is requested"
