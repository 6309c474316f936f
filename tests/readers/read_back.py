"""Reads tables back: what a program in another language finds in our files is what the API says.

    read_back.py FOLDER

For each NAME.json (an array of the rows) there are NAME.csv, NAME.ndjson, NAME.xlsx and NAME.parquet in the folder.
Every difference is told; the exit code is 1 if there is any.
"""

import csv
import datetime
import json
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl

FORMULA = ("=", "+", "-", "@", "\t", "\r")
differences = []


def read_json(text):
    return json.loads(text, parse_float=Decimal)


def text_of(value):
    """How a value that is not nested stands in a cell."""
    if value is None or value == []:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(value)
    return str(value)


def is_nested(value):
    return isinstance(value, dict) or (isinstance(value, list) and any(not isinstance(item, str) for item in value))


def is_text_of(cell, value):
    if cell is None:
        cell = ""
    if is_nested(value) or (value == [] and cell):
        return read_json(cell) == value
    return cell == text_of(value)


def is_csv(cell, value):
    if isinstance(value, str) and value.lstrip("'").startswith(FORMULA) and cell.startswith("'"):
        cell = cell[1:]
    return is_text_of(cell, value)


def is_typed(cell, value):
    """Of a workbook or a Parquet file: numbers, days and instants are their own types there."""
    if isinstance(cell, bool) or isinstance(value, bool):
        return cell is value
    if isinstance(value, (int, Decimal)):
        return cell is not None and not isinstance(cell, str) and Decimal(repr(cell)) == value
    if isinstance(cell, (int, float)):
        return Decimal(repr(cell)) == Decimal(value)  # a decimal is text in JSON
    if isinstance(cell, datetime.datetime):
        if len(value) == len("2026-01-01"):
            return cell.date().isoformat() == value and cell.time() == datetime.time()
        # A workbook's time is a fraction of a day: it says milliseconds.
        said = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
        cell = cell.replace(tzinfo=datetime.timezone.utc) if cell.tzinfo is None else cell
        return abs(cell - said) <= datetime.timedelta(milliseconds=1)
    if isinstance(cell, datetime.date):
        return cell.isoformat() == value
    if isinstance(cell, list) and isinstance(value, list):
        return cell == value
    return is_text_of(None if cell is None else str(cell), value)


def compare(name, rows, columns, cells_of_rows, is_same):
    if rows and list(rows[0]) != list(columns):
        differences.append(f"{name}: columns {columns}, members {list(rows[0])}")
        return
    if len(rows) != len(cells_of_rows):
        differences.append(f"{name}: {len(cells_of_rows)} rows of {len(rows)}")
        return
    for number, (row, cells) in enumerate(zip(rows, cells_of_rows), 1):
        for column, cell in zip(columns, cells, strict=True):
            try:
                same = is_same(cell, row[column])
            except (ValueError, ArithmeticError, TypeError) as error:
                same = not error  # told as a difference
            if not same:
                differences.append(f"{name} row {number} {column}: {cell!r} is not {row[column]!r}")


def check(path):
    rows = read_json(path.read_text())
    with path.with_suffix(".csv").open(newline="", encoding="utf-8") as file:
        header, *records = csv.reader(file)
    compare(f"{path.stem}.csv", rows, header, records, is_csv)

    *lines, end = path.with_suffix(".ndjson").read_text().splitlines()
    if [read_json(line) for line in lines] != rows or read_json(end)["_end"]["rows"] != len(rows):
        differences.append(f"{path.stem}.ndjson: other rows")

    workbook = openpyxl.load_workbook(path.with_suffix(".xlsx"), read_only=False)
    sheet = workbook.active
    header, *records = sheet.iter_rows(values_only=True)
    compare(f"{path.stem}.xlsx", rows, header, records, is_typed)
    if sheet.freeze_panes != "A2" or not sheet.auto_filter.ref:
        differences.append(f"{path.stem}.xlsx: frozen at {sheet.freeze_panes}, filter {sheet.auto_filter.ref}")

    table = duckdb.execute("SELECT * FROM read_parquet(?)", [str(path.with_suffix(".parquet"))])
    compare(f"{path.stem}.parquet", rows, [column[0] for column in table.description], table.fetchall(), is_typed)


duckdb.execute("SET TimeZone = 'UTC'")
names = sorted(Path(sys.argv[1]).glob("*.json"))
for name in names:
    check(name)
print("\n".join(differences[:50]) or f"{len(names)} tables say the same in every format")
sys.exit(bool(differences) or not names)
