"""The queue's file: whatever is done to it, what was acknowledged is there, or the file is refused and kept."""

import multiprocessing
import os
import resource
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from reconcile_assets.errors import ConfigurationError, DatabaseUnavailable, LedgerCorrupt
from reconcile_assets.resilience import QueueLimits, WriteQueue, WriteState
from reconcile_assets.resilience.queue_file import QueueFile
from reconcile_assets.resilience.queue_rows import QueueTransaction
from reconcile_assets.resilience.queue_seal import QueueSeal, seal_of
from reconcile_assets_tests.queue_samples import Content, copy_files, kept, make_queue, read_files

PAGE = 4096
FRAME = PAGE + 24
LOG_HEADER = 32


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Content]:
    """The same queue as a crash leaves it, with everything in the log, and as a clean end does; and its content."""
    folder = tmp_path_factory.mktemp("queue")
    content = make_queue(folder / "queue.db", rows=24)
    crashed = copy_files(folder / "queue.db", folder / "crashed")
    kept.pop().close()
    return crashed, copy_files(folder / "queue.db", folder / "closed"), content


@pytest.fixture
def copies(tmp_path: Path) -> Callable[[Path], Path]:
    """A function that copies a queue into a folder of its own."""
    numbers = iter(range(1_000_000))
    return lambda path: copy_files(path, tmp_path / str(next(numbers)))


def _look(path: Path, content: Content) -> str:
    """What becomes of a damaged file: refused, named and kept; or whole. Anything else fails."""
    before = _nonempty(read_files(path))
    refusal = ""
    try:
        with WriteQueue(path) as queue:
            found = Content.of(queue)
    except LedgerCorrupt as error:
        refusal = str(error)
    if not refusal:
        assert found == content, "acknowledged writes are missing in silence"
        return "whole"
    assert str(path) in refusal
    assert _nonempty(read_files(path)) == before, "the refused file was changed"
    return "refused"


def _nonempty(files: dict[str, bytes | None]) -> dict[str, bytes]:
    return {end: data for end, data in files.items() if data}


def _flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1 << (at % 8)
    path.write_bytes(data)


# ---- damage ----


def test_a_crashed_and_a_closed_queue_hold_what_was_acknowledged(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    crashed, closed, content = samples

    assert len(content.waiting) > 10
    assert len(content.dead) == 3
    assert _look(copies(crashed), content) == "whole"
    assert _look(copies(closed), content) == "whole"
    assert not Path(f"{closed}-wal").exists()


def test_a_log_cut_at_any_frame_or_within_one_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    crashed, _, content = samples
    size = Path(f"{crashed}-wal").stat().st_size
    frames = range(LOG_HEADER, size, FRAME)
    outcomes = Counter()
    for length in (
        0,
        1,
        LOG_HEADER - 1,
        *frames[::5],
        *(at + 24 for at in frames[::23]),
        *(at + 3000 for at in frames[::23]),
    ):
        path = copies(crashed)
        os.truncate(f"{path}-wal", min(length, size - 1))
        outcomes[_look(path, content)] += 1

    assert outcomes.keys() == {"refused"}
    assert outcomes["refused"] > 30


def test_sqlite_itself_calls_a_cut_log_ok(samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]) -> None:
    """The control: without the seal the acknowledged writes would be gone in silence."""
    crashed, _, content = samples
    path = copies(crashed)
    os.truncate(f"{path}-wal", Path(f"{path}-wal").stat().st_size // 2)

    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert connection.execute("SELECT count(*) FROM writes").fetchone()[0] < len(content.waiting)


def test_a_byte_flipped_anywhere_in_a_log_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    crashed, _, content = samples
    size = Path(f"{crashed}-wal").stat().st_size
    for at in range(7, size, size // 60):
        path = copies(crashed)
        _flip(Path(f"{path}-wal"), at)
        assert _look(path, content) == "refused", at


def test_a_file_cut_at_any_page_or_within_one_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    _, closed, content = samples
    size = closed.stat().st_size
    assert size > 5 * PAGE
    for length in (0, 1, 16, 99, 100, 511, *range(PAGE, size, PAGE), *range(PAGE // 2, size, PAGE), size - 1):
        path = copies(closed)
        os.truncate(path, length)
        assert _look(path, content) == "refused", length


def test_a_byte_flipped_in_any_region_is_refused_or_does_no_harm(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    _, closed, content = samples
    outcomes = Counter()
    for at in [*range(100), *range(100, closed.stat().st_size, 131)]:
        path = copies(closed)
        _flip(path, at)
        outcomes[_look(path, content)] += 1

    assert outcomes["refused"] > 50  # the rest lies in free space, which holds nothing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM writes WHERE sequence = (SELECT max(sequence) FROM writes)", "writes are waiting, and"),
        ("DELETE FROM dead_letters", "writes are dead, and 0 are there"),
        ("UPDATE writes SET record = replace(record, 'x', 'y')", "does not verify"),
        ("UPDATE dead_letters SET tries = 0", "does not verify"),
        ("INSERT INTO writes SELECT * FROM dead_letters LIMIT 1", "does not verify"),
        ("UPDATE figures SET figures = replace(figures, ',3,', ',2,')", "figures do not verify"),
        ("DELETE FROM figures", "figures do not verify"),
        ("UPDATE figures SET figures = x'00ff'", "figures do not verify"),
        ("UPDATE writes SET record = x'ff00' WHERE sequence = (SELECT min(sequence) FROM writes)", "does not verify"),
        ("DROP TABLE dead_letters", "tables are not those"),
        ("CREATE TABLE more (x)", "tables are not those"),
        ("PRAGMA application_id = 7", "no write queue"),
        ("PRAGMA user_version = 0", "no version 0"),
        ("PRAGMA journal_mode = DELETE", "no write queue"),
    ],
)  # fmt: skip
def test_what_was_changed_by_hand_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path], change: str, said: str
) -> None:
    path = copies(samples[1])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(change)

    with pytest.raises(LedgerCorrupt, match=said):
        WriteQueue(path)


def test_a_row_that_takes_anothers_place_does_not_add_up(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    """Each row verifies by itself, and there are as many as there must be: only their sum tells."""
    path = copies(samples[1])
    with WriteQueue(path) as queue:
        older = copies(path)
        queue.flush(lambda writes: None)
        for number in range(len(samples[2].waiting)):
            queue.enqueue("app.payments", "upsert", {"id": number}, key=["id"])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("ATTACH ? AS older", (str(older),))
        connection.execute("DELETE FROM writes WHERE sequence = (SELECT max(sequence) FROM writes)")
        connection.execute("INSERT INTO writes SELECT * FROM older.writes LIMIT 1")

    with pytest.raises(LedgerCorrupt, match="that are waiting do not add up"):
        WriteQueue(path)


def test_a_newer_version_is_refused_and_kept(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    path = copies(samples[1])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    before = path.read_bytes()

    with pytest.raises(LedgerCorrupt, match=r"queue\.db is of version 2, newer than 1; use the release that made it"):
        WriteQueue(path)
    assert path.read_bytes() == before


def test_an_old_copy_is_refused(samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]) -> None:
    path = copies(samples[1])
    old = path.read_bytes()
    with WriteQueue(path) as queue:
        queue.enqueue("t", "insert", {"id": 1}, key="id")
    path.write_bytes(old)

    with pytest.raises(LedgerCorrupt, match=r"it was cut, or is an old copy: 3\d changes were acknowledged"):
        WriteQueue(path)


# ---- the seal ----


def test_a_file_without_its_seal_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    path = copies(samples[1])
    seal_of(path).unlink()

    assert _look(path, samples[2]) == "refused"
    assert not seal_of(path).exists()


def test_one_half_of_the_seal_is_enough_and_none_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path]
) -> None:
    for at in (0, 3, 40, 512, 600):
        path = copies(samples[1])
        _flip(seal_of(path), at)
        assert _look(path, samples[2]) == "whole"
    path = copies(samples[1])
    _flip(seal_of(path), 20)
    _flip(seal_of(path), 532)
    assert _look(path, samples[2]) == "refused"


def test_a_seal_of_another_queue_or_a_newer_version_is_refused(
    samples: tuple[Path, Path, Content], copies: Callable[[Path], Path], tmp_path: Path
) -> None:
    path = copies(samples[1])
    WriteQueue(tmp_path / "other.db").close()
    seal_of(path).write_bytes(seal_of(tmp_path / "other.db").read_bytes())
    with pytest.raises(LedgerCorrupt, match="its seal belongs to another queue"):
        WriteQueue(path)

    seal_of(path).write_bytes(b"RCQS2 something else".ljust(1024, b"\0"))
    with pytest.raises(LedgerCorrupt, match=r"seal .* is of a newer version"):
        WriteQueue(path)


def test_a_commit_that_was_not_sealed_any_more_counts(tmp_path: Path) -> None:
    """A crash between the two: nobody was told of the write, and it is there."""
    with WriteQueue(tmp_path / "queue.db") as queue:
        queue.enqueue("t", "insert", {"id": 1}, key="id")
        sealed = seal_of(queue.path).read_bytes()
        queue.enqueue("t", "insert", {"id": 2}, key="id")
    seal_of(tmp_path / "queue.db").write_bytes(sealed)

    with WriteQueue(tmp_path / "queue.db") as queue:
        assert [write.record["id"] for write in queue.fetch(WriteState.WAITING)] == [1, 2]


def test_a_seal_that_a_failing_disk_refuses_acknowledges_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(5, "Input/output error")

    with WriteQueue(tmp_path / "queue.db") as queue:
        with monkeypatch.context() as patch:
            patch.setattr(QueueSeal, "write", fail)
            with pytest.raises(DatabaseUnavailable, match="Input/output error; it is not known whether the write was"):
                queue.enqueue("t", "insert", {"id": 1}, key="id", idempotency_key="one")
        queue.enqueue("t", "insert", {"id": 1}, key="id", idempotency_key="one")
        assert queue.counts().waiting == 1


# ---- making, losing, exchanging ----


def test_the_files_are_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with WriteQueue(tmp_path / "new" / "queue.db") as queue:
            queue.enqueue("t", "insert", {"id": 1}, key="id")
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "new").iterdir()}
    finally:
        os.umask(before)

    assert modes.keys() == {"queue.db", "queue.db-wal", "queue.db-shm", "queue.db-seal"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "queue.db"
    with WriteQueue(path) as queue:
        queue.enqueue("t", "insert", {"id": 1}, key="id")
    path.unlink()

    with pytest.raises(LedgerCorrupt, match=r"queue\.db is gone, and no other takes its place: put it back"):
        WriteQueue(path)
    assert not path.exists()


def test_a_queue_that_never_took_a_write_is_made_whole_again(tmp_path: Path) -> None:
    """As a kill between the making of its two files leaves it."""
    path = tmp_path / "queue.db"
    WriteQueue(path).close()
    path.unlink()

    with WriteQueue(path) as queue:
        assert queue.counts().waiting == 0


@pytest.mark.parametrize("end", ["", "-wal", "-seal"])
def test_a_file_deleted_while_it_is_open_takes_no_more_writes(tmp_path: Path, end: str) -> None:
    queue = WriteQueue(tmp_path / "queue.db")
    queue.enqueue("t", "insert", {"id": 1}, key="id")
    Path(f"{queue.path}{end}").unlink()

    with pytest.raises(LedgerCorrupt, match=r"is gone|was deleted or exchanged while it was open"):
        queue.enqueue("t", "insert", {"id": 2}, key="id")
    with pytest.raises(LedgerCorrupt):
        queue.counts()
    queue.close()


def test_a_file_exchanged_while_it_is_open_takes_no_more_writes(tmp_path: Path) -> None:
    with WriteQueue(tmp_path / "queue.db") as queue:
        queue.enqueue("t", "insert", {"id": 1}, key="id")
        copy = tmp_path / "copy"
        copy.write_bytes(queue.path.read_bytes())
        copy.replace(queue.path)

        with pytest.raises(LedgerCorrupt, match="exchanged while it was open; nothing more is written"):
            queue.enqueue("t", "insert", {"id": 2}, key="id")


@pytest.mark.parametrize(("content", "said"), [(b"", "no write queue"), (b"hello\n" * 100, "no write queue")])
def test_something_else_in_its_place_is_refused_and_kept(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "queue.db"
    WriteQueue(path).close()
    path.write_bytes(content)

    with pytest.raises(LedgerCorrupt, match=said):
        WriteQueue(path)
    assert path.read_bytes() == content


def test_a_place_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/queue\.db cannot be made: .*; choose another place"):
        WriteQueue(tmp_path / "file" / "queue.db")
    (tmp_path / "folder.db").mkdir()
    with pytest.raises((ConfigurationError, LedgerCorrupt), match=r"folder\.db"):
        WriteQueue(tmp_path / "folder.db")


# ---- a full disk ----


def test_a_full_disk_refuses_a_write_and_loses_none(tmp_path: Path) -> None:
    taken, error = _in_process(_fill, tmp_path / "queue.db")

    assert "its disk" in error
    assert "not taken" in error
    assert taken > 3
    with WriteQueue(tmp_path / "queue.db") as queue:
        assert [write.record["id"] for write in queue.fetch(WriteState.WAITING)] == list(range(taken))
        queue.enqueue("t", "insert", {"id": -1}, key="id")


def _fill(path: Path) -> tuple[int, str]:
    queue = WriteQueue(path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    for number in range(1000):
        try:
            queue.enqueue("t", "insert", {"id": number, "text": "x" * 5000}, key="id")
        except DatabaseUnavailable as error:
            return number, str(error)
    return 1000, "no error"


def _in_process(function: Callable[[Path], tuple[int, str]], path: Path) -> tuple[int, str]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, (path,))


# ---- processes and threads ----


def test_a_child_of_a_fork_uses_the_queue_as_its_parent_does(tmp_path: Path) -> None:
    with WriteQueue(tmp_path / "queue.db") as queue:
        queue.enqueue("t", "insert", {"id": 0}, key="id")
        context = multiprocessing.get_context("fork")
        children = [context.Process(target=_enqueue, args=(queue, number * 10)) for number in (1, 2)]
        for child in children:
            child.start()
        for number in range(100, 110):
            queue.enqueue("t", "insert", {"id": number}, key="id")
        for child in children:
            child.join(30)

        assert [child.exitcode for child in children] == [0, 0]
        found = {write.record["id"] for write in queue.fetch(WriteState.WAITING)}
    assert found == {0, *range(10, 20), *range(20, 30), *range(100, 110)}


def _enqueue(queue: WriteQueue, first: int) -> None:
    for number in range(first, first + 10):
        queue.enqueue("t", "insert", {"id": number}, key="id")


def test_threads_and_two_openings_of_one_file_take_turns(tmp_path: Path) -> None:
    queues = [WriteQueue(tmp_path / "queue.db"), WriteQueue(tmp_path / "queue.db")]
    threads = [threading.Thread(target=_enqueue, args=(queues[number % 2], number * 10)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    writes = queues[0].fetch(WriteState.WAITING)
    assert [write.sequence for write in writes] == list(range(1, 61))
    assert {write.record["id"] for write in writes} == set(range(60))
    for queue in queues:
        queue.close()
    WriteQueue(tmp_path / "queue.db").close()


def test_a_writer_that_holds_the_file_for_long_is_told(tmp_path: Path) -> None:
    one, other = QueueFile(tmp_path / "queue.db"), QueueFile(tmp_path / "queue.db", wait=0.05)
    with one.writing(), pytest.raises(DatabaseUnavailable, match="another process has held it"), other.writing():
        pass
    with other.writing() as change:
        assert change.figures.next_sequence == 1
    one.close()
    other.close()


def test_a_transaction_that_ends_badly_leaves_nothing(tmp_path: Path) -> None:
    with WriteQueue(tmp_path / "queue.db", QueueLimits(capacity=2)) as queue:
        queue.enqueue("t", "insert", {"id": 1}, key="id")
        before = read_files(queue.path)["-seal"]
        file = QueueFile(queue.path)
        with pytest.raises(ZeroDivisionError), file.writing() as change:
            _settle_and_fail(change)
        file.close()

        assert queue.counts().waiting == 1
        assert read_files(queue.path)["-seal"] == before


def _settle_and_fail(change: QueueTransaction) -> None:
    change.settle(list(change.fetch(WriteState.WAITING)))
    raise ZeroDivisionError
