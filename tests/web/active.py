"""What of a page would be active."""

from html.parser import HTMLParser

from paperround.web.templates import static_url


class Active(HTMLParser):
    """Collects what would run or load something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    @classmethod
    def in_page(cls, page: str) -> list[str]:
        """Every such tag and attribute of a page."""
        parser = cls()
        parser.feed(page)
        return parser.found

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if (
            tag in {"script", "img", "svg", "iframe"}
            and ("src", static_url("keys.js")) not in attrs
        ):
            self.found.append(tag)
        for name, value in attrs:
            if name.startswith("on") or "javascript:" in (value or "").lower()[:20]:
                self.found.append(f"{name}={value}")
