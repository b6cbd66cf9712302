"""The TLS proxy of the deployment, as docker-compose.yml describes it."""

from __future__ import annotations

import re
from typing import Any

import yaml

from contact_service.web.api_docs import routes_of
from contact_service.web.app import app
from tests.conftest import ROOT


def test_the_proxy_speaks_tls_with_certificates_from_files_and_is_believed_alone() -> None:
    whole: Any = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    configuration = whole["configs"]["proxy"]["content"]
    said = dict(re.findall(r"^ *(\w+) +([^{};]+);$", configuration, re.MULTILINE))
    assert said["ssl_protocols"] == "TLSv1.2 TLSv1.3"
    assert all(cipher.startswith("ECDHE-") for cipher in said["ssl_ciphers"].split(":"))
    assert re.findall(r"listen (.+);", configuration) == ["8443 ssl"], "no door without TLS"
    assert {said["ssl_certificate"], said["ssl_certificate_key"]} == {
        "/run/secrets/tls.crt", "/run/secrets/tls.key",
    }  # fmt: skip
    assert set(re.findall(r"proxy_pass (.+);", configuration)) == {"https://web:8000"}
    assert said["proxy_ssl_verify"] == "on"
    assert said["proxy_ssl_trusted_certificate"] == "/tls/web/trusted.crt"
    assert said["proxy_ssl_name"] == "web"
    # where a request comes from is said by the proxy, and by nobody before it
    forwarded = re.findall(r"X-Forwarded-For (.+);", configuration)
    assert set(forwarded) == {"$$remote_addr"}
    assert len(forwarded) == configuration.count("location ")
    subnet = whole["networks"]["proxy"]["ipam"]["config"][0]["subnet"]
    command = whole["services"]["web"]["command"]
    assert command[command.index("--forwarded-allow-ips") + 1] == subnet
    assert [n for n, s in whole["services"].items() if "proxy" in s.get("networks", [])] == [
        "web", "proxy",
    ]  # fmt: skip
    # what may be larger than a megabyte is what the service says, and nothing else
    large = re.findall(r"location ~ (\S+)", configuration)[0].replace("$$", "$")
    sizes = {route.path: 0 for route in routes_of(app)}
    for route in routes_of(app):
        sizes[route.path] = max(sizes[route.path], getattr(route, "max_body_size", None) or 0)
    assert {path for path, size in sizes.items() if size > 1_048_576} == {
        path for path in sizes if re.search(large, path)
    }


def test_what_speaks_inside_the_deployment_speaks_tls() -> None:
    """And starts when the other side's own certificate is there."""
    whole: Any = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    services, content = whole["services"], (ROOT / "docker-compose.yml").read_text("utf-8")
    assert set(re.findall(r"\b(?:http|redis)://\S+", content)) == set(), "nothing speaks plainly"
    for name, user in (
        ("postgres", "999:999"), ("redis", "999:1000"), ("web", None), ("trunk", None),
    ):  # fmt: skip
        made, server = services[f"certificate-{name}"], services[name]
        said = made["command"]
        assert said[2] == name, "what others call it"
        assert said[-2:] == ["--folder", f"/tls/{name}"]
        assert made["volumes"] == [f"tls-{name}:/tls/{name}"]
        assert made.get("user") == server.get("user") == user, "who may read the key"
        assert f"tls-{name}:/tls/{name}:ro" in server["volumes"]
        after = server["depends_on"][f"certificate-{name}"]
        assert after == {"condition": "service_completed_successfully"}
        assert f"/tls/{name}/server.pem" in str(server.get("command")) or name == "trunk"
    assert "ssl=on" in services["postgres"]["command"]
    assert "hba_file=/etc/pg_hba.conf" in services["postgres"]["command"]
    rules = [line.split() for line in whole["configs"]["hba"]["content"].splitlines()]
    assert {rule[0] for rule in rules} == {"local", "hostssl"}
    assert {rule[-1] for rule in rules} == {"scram-sha-256"}
    assert "--port 0 --tls-port 6379" in services["redis"]["command"][-1]
    # a new volume takes over who may write from the image
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert "install -d -o 999 -g 999 -m 0755 /tls/postgres" in dockerfile
    assert "install -d -o 999 -g 1000 -m 0755 /tls/redis" in dockerfile
