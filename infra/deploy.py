"""Build and deploy ``template.yaml`` with the real ``sam``.

``python -m infra.deploy build|deploy SECTION``, where SECTION is one of ``samconfig.toml``.
This adds only what a file cannot know: for the embedded AWS the host's Python and processor,
and for every build the same two values as environment variables, because ``sam`` does not
hand parameters to makefiles.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import yaml
from filelock import FileLock

from infra import template
from infra.after_deploy import restore
from infra.emulator import REGION, ROOT, credentials

LOCAL = "local"
_SAM = ROOT / ".local/sam/bin/sam"


class DeployError(Exception):
    """``sam`` failed; the message holds what it said."""


def build(section: str = LOCAL) -> None:
    """Build functions and layers for the section; unchanged ones are kept."""
    with _building(section):
        _sam(["build", "--config-env", section, *_overrides(section)], section)
        if not any(_built(section).parent.rglob("*.pyc")):
            runtime = _parameters(section)["Runtime"]
            print(f"no {runtime} on this machine: the code ships uncompiled and starts slower")


def deploy(section: str) -> None:
    """Build, then deploy to the cloud with the credentials at hand; ``sam`` asks before."""
    build(section)
    command = [str(_SAM), "deploy", "--config-env", section]
    subprocess.run(command, cwd=ROOT, env=_environment(section), check=True)  # noqa: S603


def deploy_local(endpoint: str) -> dict[str, Any]:
    """Build, deploy to the embedded AWS at *endpoint*, restore what it drops.

    Returns:
        Where everything is, see :func:`describe`.
    """
    with _building(LOCAL):
        overrides = _overrides(LOCAL, endpoint)
        _sam(["build", "--config-env", LOCAL, *overrides], LOCAL)
        _sam(["deploy", "--config-env", LOCAL, *overrides], LOCAL, endpoint)
        processed = template.load(_built(LOCAL))
    name = str(_section(LOCAL)["global"]["parameters"]["stack_name"])
    restore(name, processed, endpoint)
    return describe(name, endpoint)


def fingerprint(endpoint: str) -> str:
    """Return a hash over everything that decides what a local deploy makes."""
    digest = hashlib.sha256(json.dumps([_parameters(LOCAL), endpoint]).encode())
    sources = [ROOT / "template.yaml", ROOT / "samconfig.toml", *(ROOT / "infra").glob("*.json")]
    for folder in (ROOT / "functions", ROOT / "layers"):
        sources += [path for path in folder.rglob("*") if path.is_file()]
    for path in sorted(path for path in sources if path.suffix != ".pyc"):
        digest.update(str(path.relative_to(ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def describe(stack_name: str, endpoint: str) -> dict[str, Any]:
    """Return the stack's addresses and names, as tests, seed and demo use them."""
    cloudformation = _client("cloudformation", endpoint)
    (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}

    def named(suffix: str) -> dict[str, str]:
        return {
            _snake(key.removesuffix(suffix)): value
            for key, value in outputs.items()
            if key.endswith(suffix)
        }

    return {
        "stack_name": stack_name,
        "region": REGION,
        "endpoint": endpoint,
        # Names under *.localhost do not resolve everywhere; paths do.
        "api_url": f"{endpoint}/_aws/execute-api/{outputs['Api']}/api",
        "click_url": f"{endpoint}/_aws/execute-api/{outputs['ClickApi']}",
        "cognito_url": f"{endpoint}/",
        "user_pool_id": outputs["UserPool"],
        "client_id": outputs["UserPoolClient"],
        "tables": named("Table"),
        "buckets": named("Bucket"),
        "queues": named("Queue"),
        "functions": named("Function"),
        "key_arn": outputs["PersonKey"],
        "bus": outputs["Bus"],
        "machine_arn": outputs["PayoutBatch"],
        "alarm_topic": outputs["AlarmTopic"],
    }


def _sam(arguments: list[str], section: str, endpoint: str = "") -> None:
    done = subprocess.run(  # noqa: S603
        [_SAM, *arguments],
        cwd=ROOT,
        env=_environment(section, endpoint),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DeployError(f"sam {arguments[0]} failed\n{done.stdout}")


def _environment(section: str, endpoint: str = "") -> dict[str, str]:
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))
    }
    parameters = _parameters(section)
    settings = inherited | {
        # The makefiles call `python3 -m pip` and `python3.x -m compileall`: ours first.
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "RUNTIME": parameters["Runtime"],
        "ARCHITECTURE": parameters["Architecture"],
        "BUILD_FOR": "host" if section == LOCAL else "lambda",
        "HOST_PACKAGES": str(_built(section).parent.parent / "packages"),
        "SAM_CLI_TELEMETRY": "0",
    }
    if section == LOCAL:
        settings |= credentials()
    if endpoint:
        settings |= {"AWS_ENDPOINT_URL": endpoint, "SAM_CLI_POLL_DELAY": "0.2"}
    return settings


def _overrides(section: str, endpoint: str = "") -> list[str]:
    if section != LOCAL:
        return []
    parameters = _parameters(section)
    if endpoint:
        parameters["LocalEndpoint"] = endpoint
    return ["--parameter-overrides", *[f"{name}={value}" for name, value in parameters.items()]]


def _parameters(section: str) -> dict[str, str]:
    """Return the section's parameters; Runtime and Architecture are always among them."""
    declared = template.load()["Parameters"]
    parameters = {name: declared[name]["Default"] for name in ("Runtime", "Architecture")}
    given = str(_section(section)["global"]["parameters"].get("parameter_overrides", ""))
    if given:
        parameters |= yaml.safe_load((ROOT / given.removeprefix("file://")).read_text())
    if section == LOCAL:
        parameters["Runtime"] = f"python{sys.version_info.major}.{sys.version_info.minor}"
        parameters["Architecture"] = (
            "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
        )
    return {name: str(value) for name, value in parameters.items()}


def _section(section: str) -> dict[str, Any]:
    sections = tomllib.loads((ROOT / "samconfig.toml").read_text())
    if section not in sections:
        raise DeployError(f"samconfig.toml has no section {section}")
    found: dict[str, Any] = sections[section]
    return found


def _built(section: str) -> Path:
    return ROOT / str(_section(section)["build"]["parameters"]["build_dir"]) / "template.yaml"


@contextmanager
def _building(section: str) -> Iterator[None]:
    # Two builds at once would work in the same folders.
    lock = ROOT / f".aws-sam/{section}.lock"
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):
        yield


def _client(service: str, endpoint: str) -> Any:  # noqa: ANN401  (boto3 makes client classes at run time)
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106
    )


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip(
        "_"
    )


def main() -> None:
    """Build or deploy one section."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["build", "deploy"])
    parser.add_argument("section", nargs="?", default=LOCAL)
    arguments = parser.parse_args()
    started = time.monotonic()
    try:
        (build if arguments.action == "build" else deploy)(arguments.section)
    except DeployError as failure:
        raise SystemExit(str(failure)) from failure
    print(f"{arguments.action} {arguments.section}: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
