"""Elements of XML, and text that XML can hold."""

import re
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def xml_text(text: str) -> str:
    """`text` without the characters that no XML document may hold, and without controls."""
    return _NOT_XML.sub("", text)


def add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    """A new last child of `parent`; an underscore at the end of an attribute's name is dropped."""
    said = {key.rstrip("_"): xml_text(value) for key, value in attributes.items()}
    made = etree.SubElement(parent, name, said)
    if text:
        made.text = xml_text(text)
    return made


def written(root: Any) -> bytes:
    """The document with this root, in UTF-8."""
    made: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return made
