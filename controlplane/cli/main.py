"""`kubeserve`: the groups of commands, and how an error becomes a sentence and an exit code.

Exit codes: 0 done; 1 the server refused or a build failed; 2 the command was mistyped; 3 KubeServe
cannot be reached; 4 there is no such thing; 5 not allowed; 6 a load test could not tell; 130
interrupted.
"""

import sys

import click

from controlplane.cli import (
    access,
    admin,
    autoscaler,
    endpoints,
    loadtest,
    local,
    login,
    metrics,
    models,
    payloads,
    people,
    predict,
    rollouts,
    tune,
    usage,
    warm,
    webhooks,
)
from controlplane.cli.output import Output, fail
from controlplane.client import ApiError, BuildFailed, ClientError, Unreachable

REFUSED, USAGE, UNREACHABLE, NOT_FOUND, NOT_ALLOWED, INTERRUPTED = 1, 2, 3, 4, 5, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option("--url", envvar="KUBESERVE_URL", help="Address of the control plane.")
@click.version_option(package_name="kubeserve", prog_name="kubeserve")
@click.pass_context
def cli(context: click.Context, as_json: bool, url: str | None) -> None:
    """Push a trained scikit-learn model, get an endpoint that scales to zero.

    Start with `kubeserve up`, then `kubeserve push model.joblib --name iris`,
    `kubeserve deploy iris` and `kubeserve predict iris --data '[[5.1, 3.5, 1.4, 0.2]]'`.
    """
    context.obj = Output(as_json=as_json, url=url)


for command in (
    *local.COMMANDS,
    *login.COMMANDS,
    *models.COMMANDS,
    *endpoints.COMMANDS,
    *rollouts.COMMANDS,
    warm.warm,
    metrics.metrics,
    *payloads.COMMANDS,
    *usage.COMMANDS,
    *access.COMMANDS,
    webhooks.webhooks,
    predict.predict,
    *loadtest.COMMANDS,
    *tune.COMMANDS,
    *people.COMMANDS,
    autoscaler.autoscaler,
    admin.admin,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; every expected error leaves as one sentence and an exit code."""
    try:
        result = cli(standalone_mode=False)
        sys.exit(result if isinstance(result, int) else 0)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Unreachable as error:
        sys.exit(fail(str(error), code=UNREACHABLE))
    except ApiError as error:
        sys.exit(fail(error.detail, errors=error.errors, code=_code(error)))
    except BuildFailed as error:
        sys.exit(fail(str(error), code=REFUSED))
    except ClientError as error:
        sys.exit(fail(str(error), code=REFUSED))


def _code(error: ApiError) -> int:
    # A token that lacks a scope is refused with 403, and one that would lack it is not given.
    if error.status in (401, 403) or error.kind == "invalid_scope":
        return NOT_ALLOWED
    if error.status == 404:
        return NOT_FOUND
    return REFUSED


if __name__ == "__main__":
    main()
