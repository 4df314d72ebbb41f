"""Settings: the only place that reads the environment.

Every setting is `PAPERROUND_<NAME>` in the environment or in a `.env` file of the working
folder (the environment wins). A secret may come from a file: `PAPERROUND_<NAME>_FILE` names it.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from datetime import date
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from paperround.core.colours import read_colour
from paperround.core.env_file import read_env_file
from paperround.core.errors import InvalidInput, Misconfigured
from paperround.core.files import atomic_file
from paperround.core.paths import ENV_FILE
from paperround.core.plugins import plugins
from paperround.core.rates import OFF, Rate, SignupLimits, VisitLimits, parse_rates
from paperround.core.setting_errors import SHORTEST_SECRET, WEAK_SECRET, refusal, unknown, unusable
from paperround.core.times import place_zone
from paperround.core.tokens import KeyRing
from paperround.delivery.rate_state import (
    Pacing,
    WarmUp,
    parse_connections,
    parse_domain_pace,
    parse_pace,
)
from paperround.delivery.return_path import TAKES_TAGS, takes_tags
from paperround.papers.enrichment import FIGURES
from paperround.papers.formatting import web_address
from paperround.ranking.weights import parse_weights
from paperround.subscribers.addresses import DISPOSABLE, refused_domains

PREFIX = "PAPERROUND_"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
RATE_OF_A_DOMAIN = "20/s"
CONNECTIONS_OF_A_DOMAIN = "5"
"""The default limits for each destination domain, if email leaves this machine."""
SIGNUP_LIMITS = ("address", "ip", "net", "domain", "total")
"""The limits on sign-ups; each has a setting `RATE_SIGNUP_<NAME>`."""
_PARSERS: Mapping[str, Callable[[str], object]] = {
    "smtp_rate": parse_pace,
    "smtp_rate_domain": parse_domain_pace,
    "smtp_domain_connections": parse_connections,
    "refused_domains": refused_domains,
    "summarise_budget": parse_rates,
    "ranking_weights": parse_weights,
    "timezone": place_zone,
    "color": lambda text: read_colour(text) if text not in ("", OFF) else None,
    **{f"rate_{who}_{by}": parse_rates for who in ("search", "hooks") for by in ("ip", "net")},
    **{f"rate_signup_{name}": parse_rates for name in SIGNUP_LIMITS},
}
"""The parser of each of these settings; what it returns replaces the text if it is a text."""
_WEB_ADDRESSES = {
    **dict.fromkeys(
        ("public_url", "summarise_url"), (("http", "https"), "https://papers.example.org")
    ),
    "logo_url": (("https",), "https://papers.example.org/logo.png"),
    "fetch_proxy": (("http",), "http://proxy.example.org:3128"),
}
"""The schemes and an example of each setting that is an address of the web."""
OF_DEVELOPMENT = frozenset({PREFIX + name for name in ("TEST_DATA", "VENV", "STORY_PYTHON")})
"""Variables that tests and `./run` read; they are not settings."""


class Settings(BaseModel):
    """The settings of an installation. Fields have the settings' names in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    data_dir: Path = Path("paperround-data")
    send_mark: Path | None = None
    database_url: str | None = Field(default=None, repr=False)
    public_url: str = "http://127.0.0.1:8000"
    secret_key: str | None = Field(default=None, repr=False)
    smtp_url: str | None = Field(default=None, repr=False)
    smtp_connections: int = Field(default=10, ge=1, le=500)
    smtp_pipelining: bool = True
    smtp_rate: str | None = None
    smtp_rate_domain: str | None = None
    smtp_domain_connections: str | None = None
    smtp_warmup: date | None = None
    lease_seconds: int = Field(default=900, ge=10)
    mail_from: str = "Paperround <digest@paperround.example>"
    dkim_domain: str | None = None
    dkim_selector: str = ""
    dkim_key: str | None = Field(default=None, repr=False)
    bounce_address: str | None = None
    bounce_imap_url: str | None = Field(default=None, repr=False)
    operator: str | None = None
    contact: str | None = None
    postal_address: str | None = None
    privacy_url: str | None = None
    imprint_url: str | None = None
    color: str | None = None
    logo_url: str | None = None
    private: bool = False
    timezone: str = "UTC"
    default_hour: int = Field(default=7, ge=0, le=23)
    rate_signup_address: str = "1/h, 3/24h"
    rate_signup_ip: str = "5/10m"
    rate_signup_net: str = "30/h"
    rate_signup_domain: str = "100/h"
    rate_signup_total: str = "1000/h"
    refused_domains: str = DISPOSABLE
    rate_search_ip: str = "300/m"
    rate_search_net: str = "1500/m"
    rate_hooks_ip: str = "1200/m"
    rate_hooks_net: str = "6000/m"
    ses_topic_arn: str = ""
    postmark_hook_secret: str = Field(default="", repr=False)
    sendgrid_hook_key: str = ""
    mailgun_hook_key: str = Field(default="", repr=False)
    trusted_proxies: str = ""
    backup_dir: str | None = None
    keep_backups: int = Field(default=14, ge=1)
    keep_deliveries: int = Field(default=90, ge=45)
    keep_audit: int = Field(default=1095, ge=90)
    keep_observations: int = Field(default=400, ge=90)
    keep_runs: int = Field(default=366, ge=30)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"
    ping_url: str | None = Field(default=None, repr=False)
    alert_webhook: str | None = Field(default=None, repr=False)
    fetch_allow: str = ""
    fetch_proxy: str | None = Field(default=None, repr=False)
    semantic_scholar_key: str | None = Field(default=None, repr=False)
    ranking_weights: str = ""
    enrich: str = "huggingface, github, openalex, crossref"
    figures: bool = False
    summarise_url: str | None = None
    summarise_model: str | None = None
    summarise_key: str | None = Field(default=None, repr=False)
    summarise_language: str = Field(default="", max_length=40)
    summarise_budget: str = "200/24h"
    summarise_seconds: int = Field(default=60, ge=1, le=600)

    @field_validator(*_WEB_ADDRESSES)
    @classmethod
    def _web_address(cls, url: str | None, info: ValidationInfo) -> str | None:
        if not url:
            return None
        name, parts = info.field_name or "", urlsplit(url)
        schemes, example = _WEB_ADDRESSES[name]
        is_whole = parts.hostname and (parts.port or name != "fetch_proxy")  # may raise ValueError
        if parts.scheme not in schemes or not (
            is_whole and (name != "logo_url" or web_address(url))
        ):
            raise ValueError(f"write it like {example}")
        return url.rstrip("/")

    @field_validator(*_PARSERS)
    @classmethod
    def _readable(cls, text: str | None, info: ValidationInfo) -> str | None:
        try:
            read = _PARSERS[info.field_name or ""](OFF if text is None else text)
        except InvalidInput as error:
            raise ValueError(str(error)) from None
        return read if isinstance(read, str) else text

    @field_validator("smtp_warmup", mode="before")
    @classmethod
    def _first_day(cls, text: object) -> object:
        if not isinstance(text, str):
            return text
        try:
            return None if text.strip().lower() in ("", OFF) else date.fromisoformat(text.strip())
        except ValueError:
            raise ValueError("write the first day like 2026-12-01, or off") from None

    @field_validator("bounce_address")
    @classmethod
    def _takes_tags(cls, address: str | None) -> str | None:
        if address and not takes_tags(address):
            raise ValueError(TAKES_TAGS)
        return address

    @field_validator("trusted_proxies")
    @classmethod
    def _known_proxies(cls, text: str) -> str:
        if not all(map(_is_some_network, _listed(text))):
            raise ValueError(
                "give the address or network of each proxy, like 127.0.0.1 or 10.0.0.0/8; not "
                "every address, because a trusted proxy can claim any visitor's address"
            )
        return text

    @field_validator("fetch_allow")
    @classmethod
    def _open_places(cls, text: str) -> str:
        for place in _listed(text):
            host, colon, port = place.rpartition(":")
            if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
                raise ValueError("write HOST:PORT for each place, like feeds.lab.example:8080")
        return text

    @field_validator("enrich")
    @classmethod
    def _known_enrichers(cls, text: str) -> str:
        known = [*plugins("enrichers")]
        if text.strip().lower() != OFF and not set(_listed(text)) <= set(known):
            raise ValueError(f"choose from {', '.join(known)}, or write off")
        return text

    @property
    def service_keys(self) -> Mapping[str, str]:
        """The operator's keys for services, by the names of their plugins."""
        key = self.semantic_scholar_key
        return {"semantic-scholar": key} if key else {}

    @property
    def enrichers(self) -> tuple[str, ...]:
        """The services that enrich papers, including the one for figures if these are on."""
        named = () if self.enrich.strip().lower() == OFF else _listed(self.enrich)
        figures = [FIGURES] if self.figures and FIGURES in plugins("enrichers") else []
        return tuple(dict.fromkeys((*named, *figures)))

    @property
    def summary_budget(self) -> tuple[Rate, ...]:
        """The limit on requests for machine summaries."""
        return parse_rates(self.summarise_budget)

    @property
    def summary_service(self) -> tuple[str, str] | None:
        """The URL and the model of the summary service; None if it is not set.

        Raises Misconfigured without a model, and for a key that would be sent unencrypted.
        """
        if not self.summarise_url:
            return None
        if not self.summarise_model:
            raise Misconfigured("PAPERROUND_SUMMARISE_URL needs PAPERROUND_SUMMARISE_MODEL")
        parts = urlsplit(self.summarise_url)
        if self.summarise_key and parts.scheme == "http" and parts.hostname not in LOOPBACK:
            raise Misconfigured("PAPERROUND_SUMMARISE_KEY needs https, or a model on this machine")
        return self.summarise_url, self.summarise_model

    @property
    def signup_limits(self) -> SignupLimits:
        """The limits on sign-up requests."""
        return SignupLimits(
            **{name: parse_rates(getattr(self, f"rate_signup_{name}")) for name in SIGNUP_LIMITS}
        )

    @property
    def search_limits(self) -> VisitLimits:
        """The limits on searches."""
        return self._visit_limits("search")

    @property
    def hook_limits(self) -> VisitLimits:
        """The limits on requests to the providers' webhooks."""
        return self._visit_limits("hooks")

    def _visit_limits(self, who: str) -> VisitLimits:
        by = {name: parse_rates(getattr(self, f"rate_{who}_{name}")) for name in ("ip", "net")}
        return VisitLimits(**by)

    def all_of(self, name: str) -> tuple[str, ...]:
        """Return the values of a comma-separated setting."""
        return _listed(getattr(self, name))

    @property
    def proxies(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks whose `X-Forwarded-For` is trusted."""
        return tuple(map(ip_network, _listed(self.trusted_proxies)))

    @property
    def open_places(self) -> frozenset[str]:
        """The `host:port` pairs that feeds may be read from, even on a private network."""
        return frozenset(_listed(self.fetch_allow))

    @property
    def database(self) -> str:
        """The SQLAlchemy URL: the one that was set, else a SQLite file in DATA_DIR."""
        return self.database_url or f"sqlite:///{self.data_dir / 'paperround.db'}"

    @property
    def database_file(self) -> Path:
        """The SQLite file; raises Misconfigured for another database."""
        if not self.embedded:
            raise Misconfigured("PAPERROUND_DATABASE_URL is PostgreSQL: use its pg_restore")
        return Path(self.database.partition("///")[2])

    @property
    def backup_folder(self) -> Path | None:
        """The folder of the nightly backups; None for none, which is PostgreSQL's default."""
        if self.backup_dir is None:
            return self.data_dir / "backups" if self.embedded else None
        return None if self.backup_dir == "off" else Path(self.backup_dir)

    @property
    def secret_file(self) -> Path:
        """The file of the generated secret, which need not exist."""
        return self.data_dir / "secret_key"

    @property
    def dkim_file(self) -> Path:
        """The file of the generated DKIM keys, which need not exist."""
        return self.data_dir / "dkim.json"

    @property
    def relay(self) -> str:
        """Where email is sent: the SMTP_URL that was set, else a folder in DATA_DIR."""
        is_set = self.smtp_url not in (None, "", "outbox")
        return str(self.smtp_url) if is_set else f"outbox:{self.data_dir / 'outbox'}"

    @property
    def keeps_mail(self) -> bool:
        """Whether email is kept in a folder, because no relay is set."""
        return self.relay.startswith("outbox:")

    @property
    def pacing(self) -> Pacing:
        """The limits on sending."""
        real, start = self.leaves_this_machine, self.smtp_warmup
        rate, connections = (RATE_OF_A_DOMAIN, CONNECTIONS_OF_A_DOMAIN) if real else (OFF, OFF)
        return Pacing(
            relay=parse_pace(self.smtp_rate or OFF),
            domains=parse_domain_pace(self.smtp_rate_domain or rate),
            connections=parse_connections(self.smtp_domain_connections or connections),
            warm_up=WarmUp(start=start, zone=self.timezone) if start else None,
        )

    @property
    def embedded(self) -> bool:
        """Whether this is one machine with SQLite, which may generate its own secret."""
        return self.database.startswith("sqlite")

    @cached_property
    def keys(self) -> KeyRing:
        """The signing keys; generates one in DATA_DIR if an embedded installation has none.

        A generated key stays in the ring, behind keys that are set later: links in sent emails and
        suppressions were made with it.
        """
        given = self.secret_key if self.secret_key is not None else self._made_secret()
        keys = _listed(given)
        kept = self._kept_secret()
        keys += (kept,) if kept and kept not in keys else ()
        weak = [key for key in keys if len(key) < SHORTEST_SECRET]
        if weak or not keys:
            raise Misconfigured(WEAK_SECRET)
        try:
            return KeyRing(tuple(key.encode() for key in keys))
        except ValueError as error:
            raise Misconfigured(f"PAPERROUND_SECRET_KEY: {error}") from None

    def require_sender(self) -> None:
        """Raise Misconfigured when email would leave this machine without naming its sender."""
        if self.embedded and not self.leaves_this_machine:
            return
        if missing := self.unnamed_sender:
            raise Misconfigured(
                f"a real relay or PostgreSQL needs {', '.join(missing)}: readers must see who "
                "sends the email. Your own group needs no postal address: PAPERROUND_PRIVATE=1."
            )

    @property
    def unnamed_sender(self) -> list[str]:
        """The settings that would identify the sender, and are not set."""
        needed = {
            "SECRET_KEY": self.secret_key,
            "OPERATOR": self.operator,
            "CONTACT": self.contact,
            "POSTAL_ADDRESS": self.postal_address or self.private,
        }
        return [PREFIX + name for name, value in needed.items() if not value]

    @property
    def leaves_this_machine(self) -> bool:
        """Whether any relay in SMTP_URL is not on the loopback interface."""
        return not self.keeps_mail and any(
            _host(url.strip()) not in LOOPBACK for url in self.relay.split(",")
        )

    def _kept_secret(self) -> str:
        path = self.secret_file
        return _read(path).strip() if path.exists() else ""

    def _made_secret(self) -> str:
        if not self.embedded:
            raise Misconfigured(
                "PostgreSQL needs PAPERROUND_SECRET_KEY: every machine must share it"
            )
        try:
            return self._kept_secret() or _create_secret(self.secret_file)
        except OSError as error:
            raise Misconfigured(
                f"{self.secret_file} cannot be created ({error.strerror}): set PAPERROUND_DATA_DIR "
                "to a writable folder, or set PAPERROUND_SECRET_KEY"
            ) from error


def load_settings(
    environment: Mapping[str, str] | None = None,
    *,
    file: Path | None = ENV_FILE,
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> Settings:
    """Return the settings from `defaults`, `file` and the environment; later ones override earlier
    ones. Raises Misconfigured with every setting that is wrong."""
    in_file = {} if file is None else read_env_file(file)
    given = {**defaults, **in_file, **(os.environ if environment is None else environment)}
    # A misspelt setting would be ignored, and email might be sent to the wrong place.
    known = {PREFIX + name.upper() + end for name in Settings.model_fields for end in ("", "_FILE")}
    strange = [name for name in given if name.startswith(PREFIX)]
    faults = [unknown(name, known) for name in strange if name not in known | OF_DEVELOPMENT]
    values = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in given.items()
        if name.startswith(PREFIX) and value
    }
    read = _with_files(values, faults)
    try:
        settings = Settings(**read)  # type: ignore[arg-type]
    except ValidationError as error:
        faults += [refusal(PREFIX + str(one["loc"][0]).upper(), one) for one in error.errors()]
    if faults:
        raise Misconfigured(*faults, *unusable(read))
    return settings


def unused_proxy(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """Return the end of an error of a request, if the environment names a proxy in vain."""
    named = next((name for name in ("HTTPS_PROXY", "https_proxy") if environment.get(name)), "")
    hint = f" ({named} is set, but only PAPERROUND_FETCH_PROXY is used)"
    return hint if named and not settings.fetch_proxy else ""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for piece in text.split(",") if (part := piece.strip()))


def _is_some_network(name: str) -> bool:
    """Whether `name` is an address, or a network other than the whole internet."""
    try:
        return ip_network(name).prefixlen > 0
    except ValueError:
        return False


def _host(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None  # parse_smtp_url says what is wrong with it


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{path} cannot be read: {error}") from error


def _with_files(values: dict[str, str], faults: list[str]) -> dict[str, str]:
    """Replace every `<name>_file` by the content of the file; add errors to `faults`."""
    read = dict(values)
    for name, path in values.items():
        setting = name.removesuffix("_file")
        if setting == name or setting not in Settings.model_fields:
            continue
        if setting in values:
            faults.append(f"set {PREFIX}{setting.upper()} or {PREFIX}{name.upper()}, not both")
            continue
        try:
            read[setting] = _read(Path(path)).strip()
        except Misconfigured as error:
            faults.append(f"{PREFIX}{name.upper()}: {error}")
    return read


def _create_secret(path: Path) -> str:
    """Generate a secret, readable by its owner only, and return it.

    If two processes do so at the same time, both get the secret that was stored first.
    """
    with atomic_file(path, replaces=False) as temporary:
        temporary.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return _read(path)
