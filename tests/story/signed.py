"""The DNS records of an installation."""

from paperround.delivery.dkim.keys import KeyRecord
from paperround.delivery.dkim.signer import Algorithm
from tests.story.command_line import CommandLine


def records(home: CommandLine) -> list[KeyRecord]:
    return [
        KeyRecord(
            selector=one["selector"],
            domain="papers.example.org",
            algorithm=Algorithm(one["algorithm"]),
            public=one["value"].partition("p=")[2],
        )
        for one in home.json("dkim", "show-dns")["records"]
    ]
