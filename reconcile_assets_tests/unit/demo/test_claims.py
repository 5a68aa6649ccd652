"""A claim holds, or the story ends."""

import pytest

from reconcile_assets.demo.claims import ClaimFailed, Claims


def test_what_holds_is_said_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    claims = Claims()
    claims.expect("rows", expected=3, seen=3)
    assert claims.held == 1
    assert capsys.readouterr().err == "  ok: rows: 3\n"


def test_what_does_not_hold_names_both_and_ends_with_exit_code_1() -> None:
    claims = Claims()
    with pytest.raises(ClaimFailed, match=r"^rows: expected 3, seen 2$") as failure:
        claims.expect("rows", expected=3, seen=2)
    assert failure.value.exit_code == 1
    assert claims.held == 0


def test_a_long_set_is_counted_and_cut() -> None:
    with pytest.raises(ClaimFailed, match=r"expected none, seen 30: 00, 01, .*, 19$"):
        Claims().expect("red", expected=set(), seen={f"{number:02d}" for number in range(30)})


@pytest.mark.parametrize("seen", [60.0, 60.1, float("nan"), float("inf")])
def test_a_figure_at_or_above_its_limit_does_not_hold(seen: float) -> None:
    with pytest.raises(ClaimFailed, match="expected less than 60 s"):
        Claims().expect_below("delivery", limit=60, seen=seen)


def test_a_figure_below_its_limit_holds() -> None:
    claims = Claims()
    claims.expect_below("delivery", limit=60, seen=59.9)
    assert claims.held == 1


@pytest.mark.parametrize("seen", [99.0, 12.0, float("nan")])
def test_a_rate_of_99_percent_or_less_does_not_hold(seen: float) -> None:
    with pytest.raises(ClaimFailed, match="expected more than 99 %"):
        Claims().expect_above("success rate", limit=99, seen=seen, unit="%")
