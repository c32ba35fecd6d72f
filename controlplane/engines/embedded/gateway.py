"""What Envoy is told: one port before every endpoint. Pure: routes in, documents out.

The listener never changes, so no connection is closed by a deploy. What changes is one document,
the routes, replaced whole. Every route leads to one cluster and names its port in a header of our
own: a cluster an endpoint would cost memory each, and be a second document, in step or not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from runtime.problems import (
    DeadlinePassed,
    EngineUnavailable,
    Malformed,
    NotFound,
    Problem,
    TooLarge,
)

Json = dict[str, Any]

TYPES: Final = "type.googleapis.com/envoy"
ROUTES: Final = "endpoints"  # the name of the route document, and of its file
CERTIFICATE: Final = "certificate"
CLUSTER: Final = "endpoints"
UPSTREAM: Final = "x-kubeserve-upstream"
HEALTH: Final = "/healthz"
METRICS: Final = "/metrics"  # asks for no token: for who is on this machine, by the endpoint's port
# A request may wait for a worker to start before its endpoint's own time begins.
WAKE_S: Final = 120.0
QUIET_S: Final = 300.0  # without a byte in either direction, where the endpoint allows no more
# Below the 120 s after which the runtime closes an idle connection: never to send into its closing.
IDLE_S: Final = 90.0
LARGEST_BODY: Final = 8 << 20  # the runtime's own
MOST_MEMORY: Final = 1 << 30
HEAP: Final = "envoy.resource_monitors.fixed_heap"
PLENTY: Final = 1_000_000  # what is too much is the endpoint's to say: it queues, it sheds
# Only what the endpoint has surely not begun, so that it may be anything. It bridges a supervisor
# that is started again: its ports refuse connections for less than a second.
AGAIN: Final[Json] = {
    "retry_on": "connect-failure,refused-stream,reset-before-request",
    "num_retries": 8,
    "retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"},
}


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint of this machine."""

    tenant: str
    name: str
    port: int
    timeout_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Front:
    """How the gateway is reached.

    host   names of endpoints end in it: ENDPOINT.TENANT.host
    tls    a certificate is in the folder's `certificate.json`
    """

    address: str
    port: int
    host: str
    tls: bool = False


def bootstrap(front: Front, folder: Path, most_connections: int = 10_000) -> Json:
    """Give what Envoy starts with; routes and certificate are files of `folder`.

    There is no admin interface: what it could tell or change is no business of other users.
    """
    chain: Json = {"filters": [_manager(folder)]}
    if front.tls:
        chain["transport_socket"] = _tls(folder)
    return {
        "node": {"id": "kubeserve", "cluster": "kubeserve"},
        "static_resources": {
            "listeners": [
                {
                    "name": "gateway",
                    "address": _address(front.address, front.port),
                    # With it, two gateways on one port would share its clients in silence.
                    "enable_reuse_port": False,
                    "filter_chains": [chain],
                }
            ],
            "clusters": [_cluster()],
        },
        "overload_manager": {
            "refresh_interval": "0.1s",
            "actions": [
                {
                    "name": "envoy.overload_actions.stop_accepting_requests",
                    "triggers": [{"name": HEAP, "threshold": {"value": 0.85}}],
                }
            ],
            "resource_monitors": [
                {
                    "name": HEAP,
                    "typed_config": {
                        "@type": f"{TYPES}.extensions.resource_monitors.fixed_heap.v3"
                        ".FixedHeapConfig",
                        "max_heap_size_bytes": MOST_MEMORY,
                    },
                },
                {
                    "name": "envoy.resource_monitors.global_downstream_max_connections",
                    "typed_config": {
                        "@type": f"{TYPES}.extensions.resource_monitors.downstream_connections.v3"
                        ".DownstreamConnectionsConfig",
                        "max_active_downstream_connections": most_connections,
                    },
                },
            ],
        },
    }


def discovery(resource: Json) -> Json:
    """Wrap a resource as the file that Envoy watches."""
    return {"resources": [resource]}


def routes(endpoints: Iterable[Route], host: str) -> Json:
    """Give the routes: by path, /TENANT/ENDPOINT/..., and by name, ENDPOINT.TENANT.host."""
    # An endpoint that was deleted and made again is two for a moment. The later one is it; Envoy
    # would refuse a document with both.
    named = {(one.tenant, one.name): one for one in endpoints}
    known = [named[key] for key in sorted(named)]
    health = {
        "match": {"path": HEALTH},
        "direct_response": {"status": 200, "body": {"inline_string": "ok\n"}},
    }
    hidden = {"safe_regex": {"regex": f"/[^/]+/[^/]+{METRICS}"}}
    by_path = [
        _to(one, {"prefix": f"/{one.tenant}/{one.name}/"}, prefix_rewrite="/") for one in known
    ]
    # What is the same for all is said once: Envoy reads it all anew for each change.
    return {
        "@type": f"{TYPES}.config.route.v3.RouteConfiguration",
        "name": ROUTES,
        "ignore_port_in_host_matching": True,
        "request_headers_to_add": [_header("x-forwarded-host", "%REQ(:AUTHORITY)%")],
        "virtual_hosts": [
            {
                "name": "*",
                "domains": ["*"],
                "retry_policy": AGAIN,
                "routes": [health, _nothing(hidden), *by_path, _nothing({"prefix": "/"})],
            },
            *(
                {
                    "name": f"{one.name}.{one.tenant}",
                    "domains": [f"{one.name}.{one.tenant}.{host}"],
                    "retry_policy": AGAIN,
                    "routes": [_nothing({"path": METRICS}), _to(one, {"prefix": "/"})],
                }
                for one in known
            ),
        ],
    }


def certificate(chain: str, key: str) -> Json:
    """Give the certificate, PEM, as the resource that the listener waits for."""
    return {
        "@type": f"{TYPES}.extensions.transport_sockets.tls.v3.Secret",
        "name": CERTIFICATE,
        "tls_certificate": {
            "certificate_chain": {"inline_string": chain},
            "private_key": {"inline_string": key},
        },
    }


def _nothing(match: Json) -> Json:
    return {"match": match, "direct_response": {"status": NotFound.status}}


def _to(one: Route, match: Json, **rewrite: str) -> Json:
    within_s = one.timeout_s + WAKE_S
    return {
        "match": match,
        "route": {
            "cluster": CLUSTER,
            "timeout": _seconds(within_s),
            "idle_timeout": _seconds(max(within_s, QUIET_S)),
            **rewrite,
        },
        "request_headers_to_add": [_header(UPSTREAM, f"127.0.0.1:{one.port}")],
    }


def _header(key: str, value: str) -> Json:
    # Never beside what a client sends under this name: it would choose the port.
    return {
        "header": {"key": key, "value": value},
        "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
    }


def _manager(folder: Path) -> Json:
    router = {"@type": f"{TYPES}.extensions.filters.http.router.v3.Router"}
    manager = {
        "@type": f"{TYPES}.extensions.filters.network.http_connection_manager.v3"
        ".HttpConnectionManager",
        "stat_prefix": "gateway",
        "codec_type": "AUTO",
        "rds": {"route_config_name": ROUTES, "config_source": _file(folder, ROUTES)},
        "http_filters": [
            {
                # Whole requests only. The runtime answers at the last byte of a body: passed on as
                # it comes, that was before the end of its stream, which Envoy then resets, and an
                # HTTP/2 client lost 1 answer in 6. And a slow sender wakes and holds no worker.
                "name": "envoy.filters.http.buffer",
                "typed_config": {
                    "@type": f"{TYPES}.extensions.filters.http.buffer.v3.Buffer",
                    "max_request_bytes": LARGEST_BODY,
                },
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {**router, "suppress_envoy_headers": True},
            },
        ],
        # X-Forwarded-For ends with who really called, and what a client says under x-envoy-… goes:
        # it would change our timeouts and retries.
        "use_remote_address": True,
        "normalize_path": True,
        "preserve_external_request_id": True,
        "always_set_request_id_in_response": True,
        "server_header_transformation": "PASS_THROUGH",
        "http_protocol_options": {
            "accept_http_10": True,
            "default_host_for_http_10": "gateway",
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 1 << 20,
            "initial_connection_window_size": 4 << 20,
        },
        "common_http_protocol_options": {"idle_timeout": "3600s"},
        "request_headers_timeout": "15s",  # the runtime's own
        "request_timeout": _seconds(QUIET_S),
        "stream_idle_timeout": _seconds(QUIET_S),
        "local_reply_config": {"mappers": _own_answers()},
    }
    return {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}


def _own_answers() -> list[Json]:
    """Say our problems as the runtime says its own; the first that fits is taken."""
    return [
        _answer(
            "EQ",
            404,
            NotFound(
                "Nothing is at %REQ(:AUTHORITY):200%%REQ(:PATH):200%. Predictions go to "
                "/TENANT/ENDPOINT/predict; `kubeserve endpoints` lists the endpoints."
            ),
        ),
        _answer(
            "EQ",
            413,
            TooLarge(
                f"The body is larger than the {LARGEST_BODY} bytes that are taken; send fewer rows "
                "at a time."
            ),
        ),
        _answer(
            "EQ",
            503,
            EngineUnavailable(
                "The endpoint could not be reached or hung up, or the gateway is overloaded "
                "(%RESPONSE_CODE_DETAILS%). It mends itself: send the request again.",
                retry_after_s=1,
            ),
        ),
        _answer(
            "EQ",
            504,
            DeadlinePassed(
                "The endpoint did not answer in its time. `kubeserve logs ENDPOINT` shows what "
                "it does; its `timeout_s` can be raised with the next release."
            ),
        ),
        _answer("GE", 400, Malformed("The gateway refused the request: %RESPONSE_CODE_DETAILS%.")),
    ]


def _answer(op: str, status: int, problem: Problem) -> Json:
    body = problem.body()
    body |= {
        "status": "%RESPONSE_CODE%",
        "error": problem.detail,
        "request_id": "%REQ(X-REQUEST-ID)%",
    }
    mapped: Json = {
        "filter": {
            "status_code_filter": {
                "comparison": {
                    "op": op,
                    "value": {"default_value": status, "runtime_key": "kubeserve.none"},
                }
            }
        },
        "body_format_override": {
            "json_format": body,
            "content_type": "application/problem+json",
        },
    }
    if headers := problem.headers():
        mapped["headers_to_add"] = [
            {"header": {"key": key, "value": value}} for key, value in headers.items()
        ]
    return mapped


def _cluster() -> Json:
    return {
        "name": CLUSTER,
        "type": "ORIGINAL_DST",
        "lb_policy": "CLUSTER_PROVIDED",
        "connect_timeout": "5s",
        "original_dst_lb_config": {"use_http_header": True, "http_header_name": UPSTREAM},
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": PLENTY,
                    "max_pending_requests": PLENTY,
                    "max_requests": PLENTY,
                    "max_retries": PLENTY,
                }
            ]
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{TYPES}.extensions.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"idle_timeout": _seconds(IDLE_S)},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
    }


def _tls(folder: Path) -> Json:
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": f"{TYPES}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
            "common_tls_context": {
                "alpn_protocols": ["h2", "http/1.1"],
                "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
                "tls_certificate_sds_secret_configs": [
                    {"name": CERTIFICATE, "sds_config": _file(folder, CERTIFICATE)}
                ],
            },
        },
    }


def _file(folder: Path, name: str) -> Json:
    return {
        "resource_api_version": "V3",
        "path_config_source": {"path": str(folder / f"{name}.json")},
    }


def _address(address: str, port: int) -> Json:
    return {"socket_address": {"address": address, "port_value": port}}


def _seconds(value: float) -> str:
    return f"{value:.3f}s"
