"""Requests that may come twice."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from paperround.access.model import Scope
from paperround.config import Settings
from paperround.web.app import create_app
from tests.web.admin import Service, Staffed, key_for, program
from tests.web.conftest import PUBLIC_URL, HandClock, sql

KEYED = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


class Office:
    """The API of an installation, and what is kept of it."""

    def __init__(self, settings: Settings) -> None:
        self.clock = HandClock()
        self.service = Service()
        self.runtime = Staffed(settings, self.clock, service=self.service)
        self.app: FastAPI = create_app(self.runtime)
        self.key = key_for(self.runtime, *Scope)
        self.admin = program(self.app, self.key)

    def rows(self, table: Any) -> int:
        with sql(self.runtime).connect() as connection:
            return len(connection.execute(table.select()).all())

    def close(self) -> None:
        self.runtime.queue.stop(drain_seconds=1)
        sql(self.runtime).dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(
        data_dir=tmp_path,
        public_url=PUBLIC_URL,
        database_url=database_url,
        secret_key="a secret that is only used by these tests",
        rate_signup_ip="off",
        rate_signup_net="off",
    )
