"""docker-compose.yml and the image, as a parser reads them. What needs a Docker daemon is not tried here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from watchword.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "docker" / "Dockerfile").read_text()
KNOWN_SETTINGS = {PREFIX + name.upper() for name in Settings.model_fields}
PORTS = {"provider": 9000, "notes_web": 9001, "notes_api": 9002}


def test_it_has_the_provider_both_stores_of_several_machines_and_the_demo_apps() -> None:
    assert SERVICES.keys() == {"provider", "registration", "notes_api", "notes_web", "postgres", "valkey"}


def test_stores_that_the_trial_does_not_use_start_only_when_asked_for() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"postgres", "valkey"}


@pytest.mark.parametrize("name", ["notes_api", "notes_web"])
def test_localhost_means_the_provider_to_the_apps(name: str) -> None:
    assert SERVICES[name]["network_mode"] == "service:provider"
    assert "ports" not in SERVICES[name]
    assert SERVICES[name]["environment"]["ISSUER"] == SERVICES["provider"]["environment"]["WATCHWORD_ISSUER"]


def test_the_provider_publishes_every_port_on_loopback_alone() -> None:
    assert SERVICES["provider"]["ports"] == [f"127.0.0.1:{port}:{port}" for port in PORTS.values()]


@pytest.mark.parametrize("name", ["notes_api", "notes_web"])
def test_the_apps_listen_where_the_ports_are_published(name: str) -> None:
    command = " ".join(SERVICES[name]["command"])
    assert f"--port {PORTS[name]}" in command
    assert f"demo_apps.{name}.app:create_app" in command
    assert (ROOT / "demo_apps" / name / "app.py").exists()


@pytest.mark.parametrize("name", SERVICES)
def test_every_image_is_pinned_by_a_tag(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"\d", tag)


def test_every_base_image_is_pinned_by_a_tag() -> None:
    bases = {base for base in re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) if base != "provider"}
    assert bases == {"python:3.11-slim-bookworm"}


def test_only_known_settings_are_set() -> None:
    text = DOCKERFILE + (ROOT / "docker-compose.yml").read_text() + (ROOT / "docker" / "healthcheck.py").read_text()
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+", text)) <= KNOWN_SETTINGS


def test_the_settings_make_a_provider(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in SERVICES["provider"]["environment"].items():
        monkeypatch.setenv(name, value)
    assert Settings().issuer == "http://localhost:9000"  # type: ignore[call-arg]


@pytest.mark.parametrize("name", SERVICES)
def test_no_secret_stands_in_the_file(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        secret = re.search(r"SECRET|PASSWORD|COOKIE_KEY", variable)
        assert not secret or value.startswith("/run/secrets/"), variable
        assert not re.search(r"://[^/@]+:[^/@]+@", value), variable


@pytest.mark.parametrize("name", ["provider", "registration", "notes_api", "notes_web"])
def test_our_services_are_unprivileged_on_a_read_only_root(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


def test_the_image_installs_hash_pinned_locks_and_names_no_registry() -> None:
    installs = re.findall(r"pip (?:install|sync) .+", DOCKERFILE)
    assert len(installs) == 3
    assert all("--require-hashes" in line or "--no-deps ./" in line for line in installs)
    assert "index-url" not in DOCKERFILE
    assert "https://" not in DOCKERFILE


def test_everything_the_image_copies_is_let_through_to_the_build() -> None:
    copied = {
        word for line in re.findall(r"^COPY (?!--from)(.+)", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]
    }
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    for path in copied:
        assert (ROOT / path).exists(), path
        assert any(Path(path).match(pattern) for pattern in let_through), path


def test_the_apps_start_once_they_are_registered() -> None:
    registration = SERVICES["registration"]
    assert registration["depends_on"]["provider"]["condition"] == "service_healthy"
    assert registration["environment"] == SERVICES["provider"]["environment"]
    for name in ("notes_api", "notes_web"):
        assert SERVICES[name]["depends_on"]["registration"]["condition"] == "service_completed_successfully"
    assert "HEALTHCHECK" in DOCKERFILE


def test_volumes_and_secrets_that_are_used_are_declared() -> None:
    mounts = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert mounts == COMPOSE["volumes"].keys()
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == COMPOSE["secrets"].keys()
