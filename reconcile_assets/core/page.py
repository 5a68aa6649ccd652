"""Pages of HTML in one look: one file, no script, no external asset, light and dark, on a phone and on paper."""

from collections.abc import Callable, Mapping
from datetime import datetime
from importlib import resources

from reconcile_assets.core.report_inputs import iso_utc


def render_page(template: str, filters: Mapping[str, Callable[..., object]], **values: object) -> str:
    """A template of this package filled in; every value is escaped, only the shared ``style`` is taken as it is."""
    import jinja2  # only pages need it

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(number=format_number, seconds=format_seconds, utc=format_moment, **filters)
    files = resources.files(__package__)
    style = files.joinpath("page.css").read_text(encoding="utf-8")
    return environment.from_string(files.joinpath(template).read_text(encoding="utf-8")).render(style=style, **values)


def format_number(value: int | None) -> str:
    """With thousands separated; a dash where there is none."""
    return "–" if value is None else f"{value:,}"  # noqa: RUF001 - the dash of an empty table cell


def format_seconds(value: float | None) -> str:
    """To a tenth of a second."""
    return "–" if value is None else f"{value:,.1f} s"  # noqa: RUF001 - the dash of an empty table cell


def format_moment(moment: datetime | None) -> str:
    """To the second, in UTC."""
    text = iso_utc(moment)
    return "–" if text is None else text.replace("T", " ").replace("Z", " UTC")  # noqa: RUF001 - as above
