"""Translate Knative ingresses to Envoy's configuration; pure: documents in, documents out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]
Named = tuple[str, str]  # namespace, name
TYPES: Final = "type.googleapis.com/envoy"
HTTP2_PORTS: Final = ("http2", "h2c")


@dataclass(frozen=True)
class Resources:
    """What Envoy reads: routes, clusters, and the addresses of the clusters."""

    routes: list[Json]
    clusters: list[Json]
    addresses: dict[str, Json]


class Missing(LookupError):
    """A Service that an ingress names is not there yet."""


def bootstrap(folder: Path, port: int, admin: int) -> Json:
    """Give the static part: one plain listener, everything else from files of the folder."""
    manager = {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "kingress",
        "stream_idle_timeout": "0s",
        "codec_type": "AUTO",
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "rds": {"route_config_name": "kingress", "config_source": _file(folder, "rds")},
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router"},
            }
        ],
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "node": {"id": "kingress", "cluster": "kingress"},
        "admin": {"address": _address("127.0.0.1", admin)},
        "dynamic_resources": {"cds_config": _file(folder, "cds")},
        "static_resources": {
            "listeners": [
                {
                    "name": "http",
                    "address": _address("0.0.0.0", port),
                    "filter_chains": [{"filters": [network]}],
                }
            ]
        },
    }


def render(
    ingresses: Iterable[Json],
    services: Mapping[Named, Json],
    endpoints: Mapping[Named, Json],
    folder: Path,
) -> Resources:
    """Translate ingresses; raises Missing for a Service that is not there yet."""
    clusters: dict[str, Json] = {}
    addresses: dict[str, Json] = {}
    hosts: list[Json] = []
    for ingress in ingresses:
        for number, rule in enumerate(ingress["spec"].get("rules", [])):
            for split in (split for path in rule["http"]["paths"] for split in path["splits"]):
                name, service = _cluster_name(split), _service_of(split)
                if service not in services:
                    raise Missing("/".join(service))
                port = _port(services[service], split["servicePort"])
                clusters[name] = _cluster(name, port.get("name") in HTTP2_PORTS, folder)
                addresses[name] = _addresses(name, port, endpoints.get(service, {}))
            routes = [_route(path) for path in rule["http"]["paths"]]
            routes.sort(key=_most_special_first)
            meta = ingress["metadata"]
            hosts.append(
                {
                    "name": f"{meta['namespace']}/{meta['name']}/{number}",
                    "domains": [name for host in rule["hosts"] for name in (host, f"{host}:*")],
                    "routes": routes,
                }
            )
    configuration = {
        "@type": f"{TYPES}.config.route.v3.RouteConfiguration",
        "name": "kingress",
        "virtual_hosts": hosts,
    }
    return Resources([configuration], list(clusters.values()), addresses)


def addresses_folder(folder: Path, cluster: str) -> Path:
    """Give the folder of a cluster's addresses: Envoy wants a file for each."""
    return folder / "addresses" / cluster.replace("/", "_").replace(":", "_")


def mark(version: str) -> str:
    """Give the name that marks a version."""
    return f"version-{version}.invalid"


def marked(name: str, documents: list[Json], version: str) -> list[Json]:
    """Add something that makes these clusters or routes differ from all before."""
    match name:
        case "cds":
            nowhere = {
                "@type": f"{TYPES}.config.cluster.v3.Cluster",
                "name": mark(version),
                "type": "STATIC",
                "connect_timeout": "1s",
            }
            return [*documents, nowhere]
        case "rds":
            host = {"name": mark(version), "domains": [mark(version)], "routes": []}
            (routes,) = documents
            return [{**routes, "virtual_hosts": [*routes["virtual_hosts"], host]}]
        case _:
            return documents


def _route(path: Json) -> Json:
    match: Json = {"prefix": path.get("path") or "/"}
    if wanted := path.get("headers"):
        match["headers"] = [
            {"name": name, "string_match": {"exact": value["exact"]}}
            for name, value in wanted.items()
        ]
    splits = [
        {
            "name": _cluster_name(split),
            "weight": split.get("percent", 100),
            "request_headers_to_add": [
                {
                    "header": {"key": name, "value": value},
                    "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
                }
                for name, value in (
                    {**path.get("appendHeaders", {}), **split.get("appendHeaders", {})}
                ).items()
            ],
        }
        for split in path["splits"]
    ]
    # No timeout of its own: the activator and queue-proxy keep the revision's.
    action: Json = {"weighted_clusters": {"clusters": splits}, "timeout": "0s"}
    if path.get("rewriteHost"):
        action["host_rewrite_literal"] = path["rewriteHost"]
    return {"match": match, "route": action}


def _most_special_first(route: Json) -> tuple[int, int]:
    match = route["match"]
    return -len(match.get("headers", [])), -len(match["prefix"])


def _cluster(name: str, http2: bool, folder: Path) -> Json:
    protocol: Json = {"http2_protocol_options": {}} if http2 else {"http_protocol_options": {}}
    return {
        "@type": f"{TYPES}.config.cluster.v3.Cluster",
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": _file(addresses_folder(folder, name), "eds")},
        "connect_timeout": "5s",
        # Waiting requests are the activator's to bound, not the ingress's.
        "circuit_breakers": {
            "thresholds": [
                {"max_connections": 100000, "max_pending_requests": 100000, "max_requests": 100000}
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": protocol,
            }
        },
    }


def _addresses(name: str, service_port: Json, endpoints: Json) -> Json:
    ready = [
        {"endpoint": {"address": _address(address["ip"], port["port"])}}
        for subset in endpoints.get("subsets") or []
        for port in subset.get("ports") or []
        if port.get("name", "") == service_port.get("name", "")
        for address in subset.get("addresses") or []
    ]
    return {
        "@type": f"{TYPES}.config.endpoint.v3.ClusterLoadAssignment",
        "cluster_name": name,
        "endpoints": [{"lb_endpoints": ready}],
    }


def _port(service: Json, wanted: str | int) -> Json:
    ports: list[Json] = service["spec"].get("ports", [])
    for port in ports:
        if wanted in (port["port"], port.get("name")):
            return port
    raise Missing(f"port {wanted} of {service['metadata']['name']}")


def _service_of(split: Json) -> Named:
    return split["serviceNamespace"], split["serviceName"]


def _cluster_name(split: Json) -> str:
    return f"{split['serviceNamespace']}/{split['serviceName']}:{split['servicePort']}"


def _address(ip: str, port: int) -> Json:
    return {"socket_address": {"address": ip, "port_value": port}}


def _file(folder: Path, name: str) -> Json:
    return {
        "resource_api_version": "V3",
        "path_config_source": {
            "path": str(folder / f"{name}.json"),
            "watched_directory": {"path": str(folder)},
        },
    }
