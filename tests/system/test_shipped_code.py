"""The built artifacts are complete: each handler imports from what is shipped and nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import botocore
import pytest

from infra.api import Stack
from infra.template import ROOT
from tests.support.template import FUNCTIONS, target

BUILT = ROOT / ".aws-sam/local/build"
# Lambda's runtime brings the SDK; nothing else of this environment may be seen.
RUNTIME = (
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "dateutil",
    "six.py",
    "urllib3",
)
_IMPORT = """
import sys
from importlib import import_module
sys.path[:0] = sys.argv[2:]
module, name = sys.argv[1].rsplit(".", 1)
assert callable(getattr(import_module(module), name))
"""


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the Lambda runtime has installed."""
    folder = tmp_path_factory.mktemp("runtime")
    installed = Path(botocore.__file__).parent.parent
    for name in RUNTIME:
        (folder / name).symlink_to(installed / name)
    return folder


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
@pytest.mark.usefixtures("stack")
def test_handler_imports_from_what_is_shipped(function: str, runtime: Path) -> None:
    """A package missing from the layer shows here, not at the first request."""
    found = FUNCTIONS[function]
    layers = [BUILT / target(layer) / "python" for layer in found["Layers"]]
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            _IMPORT,
            found["Handler"],
            BUILT / function,
            *layers,
            runtime,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.usefixtures("stack")
def test_late_imports_are_shipped_too(runtime: Path) -> None:
    """What a rare path imports inside a function is in the layer as well."""
    ours = {path.name for path in (ROOT / "functions").iterdir()} | {"introducer"}
    shipped = {path.stem for path in BUILT.glob("*Layer/python/*")}
    known = ours | shipped | {path.stem for path in runtime.iterdir()} | sys.stdlib_module_names
    wanted = {
        name.partition(".")[0]
        for folder in ("functions", "layers/core")
        for path in (ROOT / folder).rglob("*.py")
        for name in _imports(path)
    }
    assert set() == wanted - known


def test_layers_ship_compiled(stack: Stack) -> None:
    """Without compiled files a cold start takes twice as long."""
    del stack
    sources = {path for path in BUILT.rglob("*.py") if "__pycache__" not in path.parts}
    tag = sys.implementation.cache_tag
    missing = [
        path
        for path in sources
        if not (path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc").exists()
    ]
    assert sources
    assert [] == missing


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
