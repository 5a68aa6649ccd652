"""Text as every ledger can hold it."""

from reconcile_assets.errors import ConfigurationError


def clean_text(text: str) -> str:
    """The text with NUL and lone surrogates as U+FFFD.

    A note that a database refuses would lose the verdict that it belongs to.
    """
    return text.replace("\x00", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def require_text(name: str, text: str | None) -> None:
    """Refuse what cannot be stored as it is: in an audit entry nothing may be replaced.

    Raises:
        ConfigurationError: the text holds NUL or is not Unicode.
    """
    if text is not None and text != clean_text(text):
        raise ConfigurationError(f"{name} holds a NUL character or is not Unicode text; leave it out")
