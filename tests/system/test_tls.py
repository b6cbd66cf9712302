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
    assert set(re.findall(r"proxy_pass (.+);", configuration)) == {"http://web:8000"}
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
