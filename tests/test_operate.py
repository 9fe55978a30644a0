"""docs/operate.md is tried out: its units, proxies, alert rules and commands are read by the programs they are written for."""

from __future__ import annotations

import re
import shlex
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer.main
import yaml

from app import make_app
from auth import make_api_key
from cli import cli
from config import WebConfig, parse_config
from store.days import instant
from store.engine import open_store
from store.keys import PROGRAM, NewApiKey, add_api_key
from store.migrate import migrate
from tests.servers import ROOT, free_port
from tests.small_city import CONFIG, NOW, TZ, open_filled

MANUAL = (ROOT / "docs" / "operate.md").read_text("utf-8")
HOST = "toancanh.example.gov.vn"


def block(name: str) -> str:
    """The text of the file the manual writes out under this name."""
    for text in re.findall(r"^```\n(.*?)^```", MANUAL, re.MULTILINE | re.DOTALL):
        if text.startswith(f"# {name}\n"):
            return str(text)
    raise AssertionError(f"the manual writes out no {name}")


def needs(program: str, package: str) -> str:
    """The program's path, or a skip that names its Debian package."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")
    if not found:
        pytest.skip(f"{program} is not installed: apt-get install {package}")
    return found


UNITS = ("toancanh-web.service", "toancanh-ingest.service", "toancanh-backup.service", "toancanh-backup.timer")


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = needs("systemd-analyze", "systemd")
    for name in UNITS:
        text = block(f"/etc/systemd/system/{name}")
        (tmp_path / name).write_text(text.replace("/opt/toancanh/.venv/bin/python", sys.executable))
    done = subprocess.run(
        [analyze, "verify", *(str(tmp_path / name) for name in UNITS)], capture_output=True, text=True, check=False, timeout=60,
    )
    said = [line for line in done.stderr.splitlines() if "toancanh" in line]
    assert said == []


@pytest.mark.parametrize("name", UNITS[:3])
def test_a_service_is_closed_and_runs_a_command_that_exists(name: str) -> None:
    text = block(f"/etc/systemd/system/{name}")
    for line in ("User=toancanh", "NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "UMask=0077"):
        assert line in text.splitlines()
    command = re.search(r"^ExecStart=\S+/python cli\.py (.+)$", text, re.MULTILINE)
    assert command
    words = shlex.split(command[1])
    own = typer.main.get_command(cli).commands[words[0]]  # type: ignore[attr-defined]
    options = {option for parameter in own.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options


def test_every_command_is_in_the_manual_and_every_one_in_the_manual_exists() -> None:
    known = {name for name in typer.main.get_command(cli).commands if name != "demo"}  # type: ignore[attr-defined]
    named = set(re.findall(r"`(?:cli\.py |toancanh )?([a-z]+)(?: [^`|]*)?`", MANUAL))
    assert sorted(known - named) == []
    asked = set(re.findall(r"cli\.py ([a-z]+)\b", MANUAL)) | set(re.findall(r"(?:`|&& |^)toancanh ([a-z]+) ", MANUAL, re.MULTILINE))
    assert {"user", "check", "upgrade"} <= asked
    assert sorted(asked - known - {"demo"}) == []


def test_the_alert_rules_ask_for_figures_that_exist(make_database: Callable[..., str], live_server: Callable[..., Any]) -> None:
    rules = yaml.safe_load(block("/etc/prometheus/rules/toancanh.yml"))
    asked = {name for rule in rules["groups"][0]["rules"] for name in re.findall(r"toancanh_\w+", rule["expr"])}
    asked |= set(re.findall(r"toancanh_[a-z0-9_]+[a-z0-9]", MANUAL.split("## The four signals")[1]))
    store = open_filled("sqlite", make_database)
    text = httpx.get(f"{live_server(make_app(CONFIG, store, now=lambda: NOW).server).url}/metrics").text
    store.dispose()
    families = set(re.findall(r"^# TYPE (\w+)", text, re.MULTILINE))
    assert sorted(name for name in asked if re.sub(r"_(count|bucket|sum)$", "", name) not in families) == []


def test_the_web_settings_of_the_manual_are_the_city_files() -> None:
    found = re.search(r"^\[web\]\n(.+?)^```", MANUAL, re.MULTILINE | re.DOTALL)
    assert found
    import tomllib  # only here

    web = parse_config({"city": {"name": "T"}, **tomllib.loads(f"[web]\n{found[1]}")}, ROOT, {}).web
    assert (web.public_url, web.proxies) == (f"https://{HOST}", ("127.0.0.1",))


@contextmanager
def certificate(folder: Path) -> Iterator[None]:
    """A self-signed pair, as the proxy's configuration names it."""
    openssl = needs("openssl", "openssl")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}", "-keyout", str(folder / "key.pem"),
         "-out", str(folder / "fullchain.pem")],
        check=True, capture_output=True, timeout=60,
    )
    yield


def nginx_site(folder: Path, upstream: str, port: int) -> Path:
    """A whole nginx.conf around the manual's site, in a folder of its own."""
    site = block("/etc/nginx/sites-available/toancanh").replace("/etc/ssl/toancanh/", f"{folder}/")
    site = site.replace("http://127.0.0.1:8050", upstream).replace("listen 443", f"listen 127.0.0.1:{port}")
    site = re.sub(r"^ +listen (\[::\]:\S+.*|80;)\n", "", site, flags=re.MULTILINE)  # ports of others
    site = site.replace("server {\n    server_name", f"server {{\n    listen 127.0.0.1:{free_port()};\n    server_name", 1)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    path = folder / "nginx.conf"
    path.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;\nevents {{ worker_connections 64; }}\n"
        f"http {{ access_log off;\n{temporary}{site}\n}}\n"
    )
    return path


def test_nginx_takes_the_site_and_streams_through_it(
    make_database: Callable[..., str], live_server: Callable[..., Any], tmp_path: Path,
) -> None:
    nginx = needs("nginx", "nginx-light")
    config = replace(CONFIG, web=WebConfig(public_url=f"https://{HOST}", proxies=("127.0.0.1",)))
    store, port, key = open_store(make_database("sqlite"), TZ), free_port(), make_api_key()
    migrate(store)
    add_api_key(store, NewApiKey("wall", "viewer"), key, PROGRAM, instant(NOW))
    upstream = live_server(make_app(config, store, now=lambda: NOW).server).url
    tmp_path.chmod(0o755)
    with certificate(tmp_path):
        path = nginx_site(tmp_path, upstream, port)
        command = [nginx, "-c", str(path), "-p", str(tmp_path), "-e", str(tmp_path / "error.log")]
        tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False, timeout=30)
        assert tried.returncode == 0, tried.stderr
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as proxy:
            try:
                passes_through(f"https://127.0.0.1:{port}", key)
            finally:
                proxy.terminate()
                proxy.wait(10)
    store.dispose()


def passes_through(url: str, key: str) -> None:
    """Ready, named by the proxy's request id, and not this machine's own demo: nobody is signed in out there."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    with httpx.Client(base_url=url, verify=trust, headers={"Host": HOST}, transport=httpx.HTTPTransport(verify=trust, retries=5)) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200, ready.text
        assert re.fullmatch(r"[0-9a-f]{32}", ready.headers["x-request-id"])
        assert client.get("/readyz", headers={"X-Forwarded-For": "10.0.0.1"}).status_code == 200
        assert client.get("/api/v1/feeds").status_code in (401, 403), "behind the proxy nobody is local"
        with client.stream("GET", "/live/ticks", timeout=20, headers={"Authorization": f"Bearer {key}"}) as stream:
            assert stream.status_code == 200, stream.read()
            assert next(stream.iter_text()).startswith(("event:", "data:", ":", "retry:"))


def test_caddy_takes_the_site(tmp_path: Path) -> None:
    caddy = needs("caddy", "caddy")
    (tmp_path / "Caddyfile").write_text(block("/etc/caddy/Caddyfile"))
    done = subprocess.run(
        [caddy, "adapt", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile"), "--validate"],
        capture_output=True, text=True, check=False, timeout=60, env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    assert '"flush_interval":-1' in done.stdout
