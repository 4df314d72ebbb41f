"""What mails, pages and exports say of a paper."""

import pytest

from paperround.papers.formatting import web_address


@pytest.mark.accept("I3", part="user names in links", mutant="a-kept-link-shows-its-password")
def test_a_link_with_a_user_name_that_was_kept_before_is_not_shown() -> None:
    assert web_address("https://user:pass@host.example/") == ""
    assert web_address("https://arxiv.org@evil.example/abs/1") == ""
    assert web_address("https://host.example/@user") == "https://host.example/@user"
