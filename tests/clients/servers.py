"""A simulated upstream and a gateway before it, as processes.

`python servers.py COMMAND..` runs a command with the gateway's address in `GATEWAY`.
"""

import contextlib
import hashlib
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROUTER = HERE / "../fixtures/router-v1"
KEY = "sk-client"

PRICES = {
    "bustard-large": 5,
    "finch-small": 0.5,
    "heron-coder": 1,
    "linnet-polyglot": 1,
    "plover-reasoner": 3,
    "wren-mini": 0.1,
}

# Models that are served by nobody but an upstream that behaves so.
SCENARIOS = {
    "plain": "ok",
    "broken": "error,status=500",
    "limited": "rate_limited,retry_after=1",
    "too-long": "error,status=400,code=context_length_exceeded",
    "cut": "cut_stream,events=3",
    "fails-midway": "error_event,events=3",
    "stalled": "stall_headers",
}


def config(upstream: str) -> str:
    digest = hashlib.sha256(KEY.encode()).hexdigest()
    lines = [
        f'router = {{ path = "{ROUTER}", prices = "prices.csv" }}',
        'listen = "127.0.0.1:0"',
        f'auth.keys = ["sha256:{digest}"]',
        "[gateway]",
        "attempts = 2",
        "backoff_ms = 1",
        "headers_timeout_ms = 500",
        "[gateway.cache]",
        "bytes = 1_000_000",
        "[upstreams.openai]",
        f'base_url = "{upstream}/ok/v1"',
        "[upstreams.anthropic]",
        f'base_url = "{upstream}/ok/v1"',
        'protocol = "anthropic"',
    ]
    for model, scenario in SCENARIOS.items():
        for protocol in ("openai", "anthropic"):
            lines += [
                f"[upstreams.{model}-{protocol}]",
                f'base_url = "{upstream}/{scenario}/v1"',
                f'models = ["{model}"]',
                f'protocol = "{protocol}"',
            ]
    return "\n".join(lines)


@contextlib.contextmanager
def process(args, stream):
    running = subprocess.Popen(args, text=True, **{stream: subprocess.PIPE})
    try:
        yield running
    finally:
        running.terminate()
        running.wait(timeout=10)


@contextlib.contextmanager
def gateway():
    """The address of a gateway, such as http://127.0.0.1:4711."""
    binaries = pathlib.Path(os.environ["FARTHING_BIN_DIR"])
    with contextlib.ExitStack() as stack:
        sim = stack.enter_context(process([binaries / "farthing-sim"], "stdout"))
        upstream = f"http://{sim.stdout.readline().strip()}"
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        rows = [f"{model},{usd},{4 * usd}" for model, usd in PRICES.items()]
        header = "model,usd_per_1m_input,usd_per_1m_output"
        (folder / "prices.csv").write_text("\n".join([header, *rows]))
        (folder / "farthing.toml").write_text(config(upstream))
        args = [binaries / "farthing", "serve", "--config", folder / "farthing.toml"]
        server = stack.enter_context(process(args, "stderr"))
        said = []
        for line in server.stderr:
            said.append(line)
            if "listening on " in line:
                address = line.split("listening on ")[1].split()[0].strip()
                break
        else:
            raise RuntimeError("the gateway did not start:\n" + "".join(said))
        # What it says later is read and let go, so that it never waits for a reader.
        drain = subprocess.Popen(["cat"], stdin=server.stderr, stdout=subprocess.DEVNULL)
        stack.callback(drain.kill)
        address = address if address.startswith("http") else f"http://{address}"
        with urllib.request.urlopen(f"{address}/readyz") as ready:
            assert ready.status == 200
        yield address


if __name__ == "__main__":
    with gateway() as address:
        env = os.environ | {"GATEWAY": address, "GATEWAY_KEY": KEY}
        sys.exit(subprocess.run(sys.argv[1:], env=env, check=False).returncode)
