"""Whatever two values are, they are shown in their room, harmlessly, and never alike when they differ."""

from hypothesis import given
from hypothesis import strategies as st

from reconcile_assets.core.difference import Value
from reconcile_assets.core.side_by_side import show_pair, show_value, text_width

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(), max_size=80),
    st.text("ab \\'\n", max_size=40),
)


@given(source=VALUES, target=VALUES, room=st.integers(6, 60))
def test_nothing_is_wider_than_its_room_nor_steers_what_shows_it(source: Value, target: Value, room: int) -> None:
    for shown in (*show_pair(source, target, room), show_value(source, room)):
        assert text_width(shown.text) <= max(room, len("masked"))
        assert shown.text.isprintable()


@given(source=st.text(st.characters(), max_size=30), target=st.text(st.characters(), max_size=30))
def test_two_texts_that_differ_never_look_alike(source: str, target: str) -> None:
    left, right = show_pair(source, target, 2_000)
    assert (left.text == right.text) == (source == target)
    if source != target:
        assert any(piece.differs for piece in (*left.pieces, *right.pieces))
