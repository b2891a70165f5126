"""An ISO 20022 document from outside, read into a small tree.

Whoever can write to the bank's folder can write anything, so a file is refused before it
costs much: it is bounded in size and depth, and a document type declaration ends the
reading, which leaves no entity to expand and nothing to fetch. Only the elements a reader
asks for are looked at, and each text is bounded.
"""

from __future__ import annotations

import re
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from introducer import money
from introducer.errors import InvalidInputError

MAX_BYTES = 32 * 1024 * 1024
MAX_DEPTH = 64

_TEXT_CHARACTERS = 35  # the schemas' length of every reference and code
_DECIMAL = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,17}))?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read(content: bytes, message: str) -> Element:
    """Return the body of an ISO 20022 document of the kind *message*.

    Tags are local names; an element outside the document's own namespace keeps its
    namespace in the tag and so never answers to a path.

    Args:
        content: The file.
        message: ``pain.002`` or ``camt.054``; any version of it is read.

    Raises:
        InvalidInputError: Not such a document: ``bank_file_too_large``,
            ``bank_file_malformed`` or ``bank_file_unexpected``.
    """
    if len(content) > MAX_BYTES:
        refuse("longer than a bank file may be", "bank_file_too_large")
    reader = _Reader()
    try:
        root = reader.read(content)
    except (expat.ExpatError, ValueError, LookupError):
        # The last two: an encoding that the declaration names and nobody knows.
        refuse("not well-formed XML")
    if root.tag != "Document" or message not in reader.namespace or len(root) == 0:
        refuse(f"not a {message} document", "bank_file_unexpected")
    return root[0]


def refuse(message: str, code: str = "bank_file_malformed") -> NoReturn:
    """Raise the error that ends the reading of this file."""
    raise InvalidInputError("file", message, code=code)


def text(element: Element, *paths: str) -> str:
    """Return the text of the first of *paths* that has one, or ``""``.

    Raises:
        InvalidInputError: It is longer than any reference or code may be.
    """
    for path in paths:
        value = (element.findtext(path) or "").strip()
        if len(value) > _TEXT_CHARACTERS:
            refuse(f"{path} is too long")
        if value:
            return value
    return ""


def reference(element: Element, path: str) -> str:
    """Return the reference at *path*; the standard's filler for none is ``""`` too."""
    value = text(element, path)
    return "" if value == "NOTPROVIDED" else value


def day(element: Element, *paths: str) -> str:
    """Return the first date or date and time at *paths* as ``YYYY-MM-DD``, or ``""``."""
    value = text(element, *paths)[:10]
    if value and not _DAY.fullmatch(value):
        refuse(f"{paths[0]} is not a date")
    return value


def amount(element: Element, *paths: str) -> tuple[int, str] | None:
    """Return the first amount at *paths* as minor units and currency, exactly.

    Raises:
        InvalidInputError: It is no amount, its currency is unknown, or it has a fraction
            of the minor unit.
    """
    for path in paths:
        found = element.find(path)
        if found is not None:
            currency = found.get("Ccy", "")
            return _minor((found.text or "").strip(), currency), currency
    return None


def _minor(decimal: str, currency: str) -> int:
    digits = money.exponent(currency)
    match = _DECIMAL.fullmatch(decimal)
    if not match:
        refuse("an amount is not a decimal number")
    major, fraction = match[1], (match[2] or "").rstrip("0")
    if len(fraction) > digits:
        refuse("an amount has a fraction of the minor unit")
    return int(major + fraction.ljust(digits, "0"))


class _Reader:
    """One parse. Expat does the work; this bounds it and drops the namespaces."""

    def __init__(self) -> None:
        self.namespace = ""
        self._builder = TreeBuilder()
        self._depth = 0

    def read(self, content: bytes) -> Element:
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._builder.data
        parser.Parse(content, True)  # noqa: FBT003 - "this is all of it"; takes no keyword
        return self._builder.close()

    def _doctype(self, *_: object) -> None:
        refuse("a document type declaration is not accepted")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            refuse("elements are nested too deeply")
        if self._depth == 1:
            self.namespace = name.rpartition(" ")[0]
        self._builder.start(self._local(name), attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(self._local(name))

    def _local(self, name: str) -> str:
        namespace, _, local = name.rpartition(" ")
        return local if namespace == self.namespace else name
