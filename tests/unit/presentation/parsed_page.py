"""A page as a browser parses it: tags with their attributes, and the text in each."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

from chalicelib.presentation.pages.parts import Page as PageWithoutFrame

VOID = {"meta", "link", "br", "hr", "img", "input"}


@dataclass
class Page(HTMLParser):
    """Parses a page and fails if it isn't well formed, or holds a comment."""

    made: str | PageWithoutFrame
    html: str = ""
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.html = self.made if isinstance(self.made, str) else self.made.html()
        self.feed(self.html)
        self.close()
        assert not self._open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "no attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "tags nest"

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, tag: str | None = None) -> str:
        """Return the text directly in such tags, or all visible text."""
        unseen = ("style", "title")
        return "".join(
            text for name, text in self.texts if (name == tag if tag else name not in unseen)
        )

    def typed(self) -> str:
        """Return the text field's content as a browser shows it, without the first line break."""
        return self.text("textarea").removeprefix("\n")

    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return tags and names of attributes in order, without any text.

        The fold around details is left out: long details are folded.
        """
        unfolded = (pair for pair in self.tags if pair[0] not in ("details", "summary"))
        return [(tag, tuple(attributes)) for tag, attributes in unfolded]
