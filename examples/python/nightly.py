"""The nightly job of a partner: load, follow, report, alert.

    PILOT_EXCHANGE_URL            where the registry is, such as https://exchange.example.org
    PILOT_EXCHANGE_CLIENT_ID      the account
    PILOT_EXCHANGE_CLIENT_SECRET  its secret
    PILOT_EXCHANGE_STORE          the SQLite file that is kept; pilot-exchange.sqlite if absent

Ends with 0 if all is well, 3 if something is overdue or a target is missed, 1 if it failed. It may be stopped at
any moment and run again: the cursor is kept in the transaction that keeps the records.
"""

import hashlib
import importlib
import json
import os
import sqlite3
import sys
import time
from datetime import date

from pilot_exchange_client import AuthenticatedClient, Client
from pilot_exchange_client.api.access import create_token
from pilot_exchange_client.api.reports import report_overdue, report_progress
from pilot_exchange_client.api.sync import list_changes
from pilot_exchange_client.models import TokenRequest

COLLECTIONS = [
    "cities", "organisations", "programmes", "documents", "terms", "pilots", "needs", "applicability",
    "partnerships", "initiatives", "activities", "agreements", "hostings", "compliance", "indicators",
    "outcomes", "observations", "evaluations",
]  # fmt: skip

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    collection TEXT, id TEXT, version INTEGER, body TEXT, PRIMARY KEY (collection, id));
CREATE TABLE IF NOT EXISTS report (name TEXT, day TEXT, rows TEXT, PRIMARY KEY (name, day));
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT);
"""


class Registry:
    """Calls operations of the generated client; logs in when it has to and waits when it is told to."""

    def __init__(self, url, client_id, client_secret):
        self.url = url
        self.login = TokenRequest(grant_type="client_credentials", client_id=client_id, client_secret=client_secret)
        self.client, self.renew_at = None, 0

    def ask(self, operation, *path, accept=(200,), **query):
        for _ in range(10):
            if time.monotonic() > self.renew_at:
                self.log_in()
            answer = operation.sync_detailed(*path, client=self.client, **query)
            if answer.status_code in accept:
                return answer
            if answer.status_code not in (429, 503):
                break
            time.sleep(int(answer.headers.get("Retry-After", 5)))
        raise SystemExit(f"the registry said {int(answer.status_code)}: {answer.content.decode()}")

    def log_in(self):
        answer = create_token.sync_detailed(client=Client(self.url), body=self.login)
        if answer.status_code != 200:
            raise SystemExit(f"no token: {int(answer.status_code)} {answer.content.decode()}")
        self.client = AuthenticatedClient(self.url, token=answer.parsed.access_token, timeout=300)
        self.renew_at = time.monotonic() + answer.parsed.expires_in / 2


def put(db, collection, body):
    """Keeps a record, unless a newer version is there.

    Computed members (`latest` and `progress` of an outcome, `gate_broken` of a hosting) are as of now: no change tells
    of them. The reports have those of today.
    """
    db.execute(
        "INSERT INTO record VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET version = excluded.version, body = excluded.body WHERE excluded.version >= version",
        (collection, body["id"], body["version"], json.dumps(body, ensure_ascii=False)),
    )


def remove(db, collection, id, version):
    db.execute("DELETE FROM record WHERE collection = ? AND id = ? AND version <= ?", (collection, id, version))


def keep_cursor(db, cursor):
    db.execute("INSERT OR REPLACE INTO state VALUES ('cursor', ?)", (cursor,))


def kept_cursor(db):
    row = db.execute("SELECT value FROM state WHERE name = 'cursor'").fetchone()
    return row and row[0]


def load(registry, db):
    """Loads everything anew, in one transaction."""
    cursor = None
    with db:
        db.execute("DELETE FROM record")
        for collection in COLLECTIONS:
            export = importlib.import_module(f"pilot_exchange_client.api.sync.export_{collection}")
            answer = registry.ask(export, "ndjson", accept=(200, 403))
            if answer.status_code == 403:  # compliance is for the cities involved and verifiers only
                print("not for this account:", collection)
                continue
            *lines, last = answer.content.splitlines(keepends=True)
            end = json.loads(last)["_end"]  # says how much there was; without it the file was cut off
            if hashlib.sha256(b"".join(lines)).hexdigest() != end["sha256"]:
                raise SystemExit(f"the export of {collection} is damaged")
            for line in lines:
                put(db, collection, json.loads(line))
            # Each export is a snapshot of its own. Following from the first one misses nothing.
            cursor = cursor or end["change_cursor"]
        keep_cursor(db, cursor)
    print("loaded", db.execute("SELECT count(*) FROM record").fetchone()[0], "records")


def follow(registry, db):
    """Applies what changed since the kept cursor, page by page, each in one transaction."""
    if not kept_cursor(db):
        load(registry, db)
    count, more = 0, True
    while more:
        answer = registry.ask(
            list_changes,
            cursor=kept_cursor(db),
            types=COLLECTIONS,
            include="record",
            limit=500,
            accept=(200, 410),
        )
        if answer.status_code == 410:  # after a restore, or when the account may see more than before
            print("told to load anew:", answer.parsed.detail)
            load(registry, db)
            continue
        with db:
            for change in answer.parsed.items:
                if change.record:
                    put(db, change.type_, change.record.to_dict())
                else:
                    remove(db, change.type_, str(change.id), change.version)
            keep_cursor(db, answer.parsed.next_)
        count += len(answer.parsed.items)
        more = answer.parsed.has_more
    print("followed", count, "changes")


def report(registry, db, operation, name):
    """Fetches a report, keeps that of today, and gives its rows."""
    rows = registry.ask(operation).parsed.to_dict()["items"]
    with db:
        kept = (name, date.today().isoformat(), json.dumps(rows, ensure_ascii=False))
        db.execute("INSERT OR REPLACE INTO report VALUES (?, ?, ?)", kept)
    print("report", name, "has", len(rows), "rows")
    return rows


def is_past(day):
    """Whether a date that may be known to the year or month only (2030, 2030-06) has passed."""
    return day is not None and date.today().isoformat()[: len(day)] > day


def alerts(overdue, progress):
    for row in overdue:
        yield f"overdue: {row['kind']} of {row['title']}, due {row['due_on']}"
    for row in progress:
        if is_past(row["target_due_on"]) and row["progress_status"] != "achieved":
            yield f"target missed: {row['indicator']} in {row['subject']}: {row['actual']}, not {row['target']}"


def main():
    registry = Registry(
        os.environ["PILOT_EXCHANGE_URL"],
        os.environ["PILOT_EXCHANGE_CLIENT_ID"],
        os.environ["PILOT_EXCHANGE_CLIENT_SECRET"],
    )
    db = sqlite3.connect(os.environ.get("PILOT_EXCHANGE_STORE", "pilot-exchange.sqlite"))
    db.executescript(SCHEMA)
    follow(registry, db)
    overdue = report(registry, db, report_overdue, "overdue")
    progress = report(registry, db, report_progress, "progress")
    found = list(alerts(overdue, progress))
    for alert in found:
        print("ALERT", alert)
    return 3 if found else 0


if __name__ == "__main__":
    sys.exit(main())
