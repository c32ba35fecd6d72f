"""One Kubernetes node as plain processes of this host: what each server is started with."""

import json
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Final

import httpx

from tests.cluster import gate, images, needs, pki, programs
from tests.cluster.build import binary
from tests.cluster.home import (
    API_PORT,
    DNS_IP,
    NODE,
    NODE_IP,
    NODE_LINK,
    POD_NETWORK,
    POD_SUBNET,
    SERVICE_SUBNET,
    Home,
)
from tests.cluster.processes import Deadline, must_live, start

SERVERS: Final = (
    "etcd",
    "apiserver",
    "kcm",
    "scheduler",
    "containerd",
    "kubelet",
    "kproxy",
    "firewall",
)
ETCD: Final = "http://127.0.0.1:2379"


def up(home: Home) -> None:
    """Start a node and wait until it is Ready."""
    pki.make(home)
    _link(home)
    _start_containerd(home)
    _start_control_plane(home)
    _pause_image(home)
    _start_kubelet(home)
    _start_network(home)


def _link(home: Home) -> None:
    """Make a bridge without ports: the node's network card, for kernels without `dummy`."""
    for command in (
        ["ip", "link", "add", NODE_LINK, "type", "bridge"],
        ["ip", "link", "set", NODE_LINK, "alias", str(home.root)],  # whose it is
        ["ip", "addr", "add", f"{NODE_IP}/32", "dev", NODE_LINK],
        ["ip", "link", "set", NODE_LINK, "up"],
        # The packet filter leads on from there; a machine may have no default route.
        ["ip", "route", "add", SERVICE_SUBNET, "dev", NODE_LINK],
        ["sysctl", "-qw", "net.ipv4.ip_forward=1"],
    ):
        subprocess.run(command, check=True)


def _start_control_plane(home: Home) -> None:
    def key(name: str) -> Path:
        return home.pki / name

    start(
        home.run,
        "etcd",
        [
            *(binary("etcd"), "--data-dir", home.root / "etcd", "--unsafe-no-fsync"),
            *("--listen-client-urls", ETCD, "--advertise-client-urls", ETCD),
            *("--listen-peer-urls", "http://127.0.0.1:2380"),
        ],
    )
    start_apiserver(home)
    start(
        home.run,
        "kcm",
        [
            *(binary("kube-controller-manager"), "--kubeconfig", key("kcm.kubeconfig")),
            *("--service-account-private-key-file", key("sa.key"), "--root-ca-file", key("ca.crt")),
            *("--use-service-account-credentials", "--leader-elect=false"),
            f"--cluster-cidr={POD_SUBNET}",
        ],
    )
    start(
        home.run,
        "scheduler",
        [
            binary("kube-scheduler"),
            "--kubeconfig",
            key("scheduler.kubeconfig"),
            "--leader-elect=false",
        ],
    )


def start_apiserver(home: Home) -> None:
    """Start the API server (again) and wait until it is ready."""
    keys = home.pki
    command = [
        *(binary("kube-apiserver"), f"--etcd-servers={ETCD}"),
        *(f"--advertise-address={NODE_IP}", f"--secure-port={API_PORT}"),
        *(f"--tls-cert-file={keys}/apiserver.crt", f"--tls-private-key-file={keys}/apiserver.key"),
        *(f"--client-ca-file={keys}/ca.crt", f"--service-account-key-file={keys}/sa.pub"),
        f"--service-account-signing-key-file={keys}/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
        *(f"--service-cluster-ip-range={SERVICE_SUBNET}", "--allow-privileged=true"),
        # `kubectl logs` would look the node's name up in DNS otherwise.
        "--kubelet-preferred-address-types=InternalIP",
        *(
            f"--kubelet-client-certificate={keys}/admin.crt",
            f"--kubelet-client-key={keys}/admin.key",
        ),
        f"--kubelet-certificate-authority={keys}/ca.crt",
        f"--requestheader-client-ca-file={keys}/ca.crt",
        *(
            f"--proxy-client-cert-file={keys}/front.crt",
            f"--proxy-client-key-file={keys}/front.key",
        ),
        "--requestheader-username-headers=X-Remote-User",
    ]
    start(home.run, "apiserver", command)
    deadline = Deadline("The API server's /readyz", 90)
    while (seen := _readyz(home)) != "ok":
        must_live(home.run, "apiserver")
        must_live(home.run, "etcd")
        deadline.again(seen)


def _readyz(home: Home) -> str:
    context = ssl.create_default_context(cafile=home.pki / "ca.crt")
    context.load_cert_chain(home.pki / "admin.crt", home.pki / "admin.key")
    try:
        return httpx.get(f"https://{NODE_IP}:{API_PORT}/readyz", verify=context, timeout=5).text
    except httpx.HTTPError as error:
        return repr(error)


def _start_containerd(home: Home) -> None:
    network = {
        "cniVersion": "0.4.0",
        "name": POD_NETWORK,
        "plugins": [
            {
                "type": "ptp",  # every packet is routed, so the packet filter sees all of them
                "ipMasq": True,
                "ipam": {
                    "type": "host-local",
                    "dataDir": str(home.run / "addresses"),
                    "ranges": [[{"subnet": POD_SUBNET}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
            {"type": gate.PLUGIN},
        ],
    }  # fmt: skip
    # The runtime looks for all plugins in one folder.
    plugins, installed = home.root / "cni-plugins", needs.cni_folder()
    plugins.mkdir()
    for name in needs.CNI_PLUGINS:
        (plugins / name).symlink_to(f"{installed}/{name}")
    gate.write_plugin(plugins, home.run)
    (home.root / "cni").mkdir(exist_ok=True)
    (home.root / "cni" / "10-pods.conflist").write_text(json.dumps(network))
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE runc dies with "can't get final child's PID
    # from pipe". netns_mounts_under_state_dir: so that `down` finds every mount below our folder.
    config = home.root / "containerd.toml"
    config.write_text(f"""version = 2
root = "{home.root}/containerd"
state = "{home.run}/containerd/state"
[grpc]
  address = "{home.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{images.REGISTRY}/pause:latest"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{plugins}"
    conf_dir = "{home.root}/cni"
""")
    start(home.run, "containerd", ["containerd", "-c", config])


def _pause_image(home: Home) -> None:
    deadline = Deadline("containerd's socket", 30)
    while not home.containerd_socket.exists():
        must_live(home.run, "containerd")
        deadline.again()
    programs.image("pause", home)


def _start_kubelet(home: Home) -> None:
    (home.root / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    config = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "x509": {"clientCAFile": f"{home.pki}/ca.crt"},
            "webhook": {"enabled": True},
            "anonymous": {"enabled": False},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,  # 1.35 turns this default on; 1.34 only warns
        "failSwapOn": False,
        "clusterDNS": [DNS_IP],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{home.containerd_socket}",
        "tlsCertFile": f"{home.pki}/kubelet.crt",
        "tlsPrivateKeyFile": f"{home.pki}/kubelet.key",
        "enforceNodeAllocatable": [],
        "evictionHard": {
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "memory.available": "200Mi",
        },
        "imageGCHighThresholdPercent": 100,  # nothing could be pulled again
        "maxPods": 250,
        "podLogsDir": f"{home.root}/logs",
        "resolvConf": f"{home.root}/resolv.conf",
    }
    path = home.root / "kubelet.json"
    path.write_text(json.dumps(config))
    start(
        home.run,
        "kubelet",
        [
            *(binary("kubelet"), f"--config={path}", f"--kubeconfig={home.pki}/kubelet.kubeconfig"),
            *(f"--hostname-override={NODE}", f"--node-ip={NODE_IP}"),
            *(f"--root-dir={home.root}/kubelet", f"--cert-dir={home.pki}"),
        ],
    )


def _start_network(home: Home) -> None:
    config = {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": POD_SUBNET,
        "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": f"{home.pki}/kproxy.kubeconfig"},
        "conntrack": {"maxPerCore": 0},  # the host's own limits stay as they are
    }
    path = home.root / "kproxy.json"
    path.write_text(json.dumps(config))
    start(home.run, "kproxy", [binary("kube-proxy"), f"--config={path}"])
    start_firewall(home)


def start_firewall(home: Home) -> None:
    """Start what enforces policies; no pod starts before it answers."""
    command = [sys.executable, "-m", "tests.cluster.firewall", str(home.root)]
    # The Kubernetes client puts keys into temporary files.
    (home.run / gate.SOCKET).unlink(missing_ok=True)
    start(home.run, "firewall", command, {"TMPDIR": str(home.run)})
    deadline = Deadline("The firewall's start", 60)
    while not (home.run / gate.SOCKET).exists():
        must_live(home.run, "firewall")
        deadline.again()
