"""Asks reladiff and datacompy, in an environment of their own; it imports nothing of ours.

Reads one JSON job a line from stdin and writes one JSON answer a line to stdout:
``{"missing_in_target", "missing_in_source", "value_differs"}``, or ``{"refuses": why}``.

Both are used as their documents say. reladiff gets the tables by ``connect_to_table`` and ``diff_tables``, empty
tables allowed; among thousands of rows its ``bisection_threshold`` is low enough that its checksums decide. datacompy
gets two pandas frames, as ``pandas.read_sql`` reads them by itself or, in the job's other reading, so that nothing is
lost before datacompy sees it: nullable types, and decimals not made floats.
"""

import json
import logging
import os
import sqlite3
import sys
import warnings
from collections import Counter
from contextlib import closing
from typing import Any

Job = dict[str, Any]
Answer = dict[str, Any]


class Refuses(Exception):  # noqa: N818
    """There is no such option."""


def counts(missing_in_target: int, missing_in_source: int, value_differs: int) -> Answer:
    return {
        "missing_in_target": int(missing_in_target),
        "missing_in_source": int(missing_in_source),
        "value_differs": int(value_differs),
    }


def reladiff(job: Job) -> Answer:
    """Counts out of its signed rows: a key that both sides have is a changed row."""
    from reladiff import connect, connect_to_table, diff_tables

    urls = {side: _reladiff_url(job[side]) for side in ("source", "target")}
    where = job["options"].pop("where", None)
    for option in job["options"]:
        raise Refuses(f"it has no {option.replace('_', ' ')}")
    databases = []
    try:
        segments = []
        for side in ("source", "target"):
            database = connect(urls[side], shared=False)
            databases.append(database)
            names = job[side]["columns"]
            keys = job[side]["key"] or names
            extra = tuple(name for name in names if name not in keys)
            segments.append(connect_to_table(database, "t", tuple(keys), extra_columns=extra, where=where))
        options = {"bisection_threshold": 1_024} if job["padded"] else {}
        with diff_tables(*segments, allow_empty_tables=True, skip_sort_results=True, **options) as found:
            signed = Counter((sign, tuple(row[: len(segments[0].key_columns)])) for sign, row in found)
    finally:
        for database in databases:
            database.close()
    lost = extra_rows = changed = 0
    for key in {key for _, key in signed}:
        left, right = signed["-", key], signed["+", key]
        both = 0 if not job["source"]["key"] else min(left, right)
        changed, lost, extra_rows = changed + both, lost + left - both, extra_rows + right - both
    return counts(lost, extra_rows, changed)


def _reladiff_url(side: Job) -> str:
    if side["engine"] == "sqlite":
        raise Refuses("it has no SQLite")
    return f"duckdb://main@{side['file']}" if side["engine"] == "duckdb" else side["url"]


READINGS: dict[str, dict[str, Any]] = {
    "ordinary": {},
    "exact": {"dtype_backend": "numpy_nullable", "coerce_float": False},
}


def datacompy(job: Job) -> Answer:
    """Counts out of its report's figures."""
    from datacompy import PandasCompare

    for option in ("seconds", "zones", "key_types", "zero_date_as_null", "ignore_trailing_space"):
        if job["options"].get(option):
            raise Refuses(f"it has no {option.replace('_', ' ')}")
    where = job["options"].get("where", "1 = 1")
    frames = [_frame(job[side], READINGS[job["reading"]], where) for side in ("source", "target")]
    frames[1] = frames[1].rename(columns=dict(zip(job["target"]["columns"], job["source"]["columns"], strict=False)))
    tolerances = {name: job["options"][name] for name in ("abs_tol", "rel_tol") if job["options"].get(name)}
    tolerances["ignore_case"] = bool(job["options"].get("ignore_case"))
    key = job["source"]["key"] or job["source"]["columns"]
    compared = PandasCompare(*frames, join_columns=list(key), cast_column_names_lower=False, **tolerances)
    both = len(compared.intersect_rows)
    changed = both - compared.count_matching_rows() if both else 0
    return counts(len(compared.df1_unq_rows), len(compared.df2_unq_rows), changed)


def _frame(side: Job, reading: dict[str, Any], where: str) -> Any:
    import pandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with closing(_connection(side)) as connection:
            frame = pandas.read_sql(f"SELECT * FROM t WHERE {where}", connection, **reading)  # noqa: S608
    return frame[side["columns"]]


def _connection(side: Job) -> Any:
    if side["engine"] == "postgresql":
        import psycopg2

        return psycopg2.connect(side["url"])
    if side["engine"] == "mariadb":
        import pymysql

        return pymysql.connect(**side["server"], charset="utf8mb4")
    if side["engine"] == "sqlite":
        return sqlite3.connect(side["file"])
    import duckdb

    return duckdb.connect(side["file"], read_only=True)


PEERS = {"reladiff": reladiff, "datacompy": datacompy}


def answer(job: Job) -> Answer:
    """One peer's answer; an error of its own is its refusal."""
    try:
        return PEERS[job["peer"]](job)
    except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
        lines = str(error).strip().splitlines()
        return {"refuses": f"{type(error).__name__}: {lines[0] if lines else ''}"[:200]}


def main() -> None:
    """Answer jobs until stdin ends; what the peers print is not an answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        answers.write(json.dumps(answer(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
