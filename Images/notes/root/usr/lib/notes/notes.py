"""Notes: GET /notes lists them, POST /notes adds one (its text is the body), GET /health tells the schema of the data.

A database of an older schema is migrated in one transaction when the service starts. One of a newer schema is not touched:
the service answers 503 with the reason, because serving half of it would lose what it can't see.
"""
import json
import os
import sqlite3
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SCHEMA = int(os.environ["SCHEMA"])
VERSION = os.environ["VERSION"]
LARGEST = 1 << 16

# What leads to each schema from the one before it.
MIGRATIONS = {
    1: ["CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)"],
    2: [
        "ALTER TABLE notes ADD COLUMN length INTEGER NOT NULL DEFAULT 0",
        "UPDATE notes SET length = length(text)",
    ],
}


def connect(path):
    connection = sqlite3.connect(path, timeout=10, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    # What was acknowledged has to be on the disk.
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def migrate(path):
    """Brings the data to SCHEMA; returns why that can't be, or nothing."""
    connection = connect(path)
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA:
        connection.execute("ROLLBACK")
        return f"the data has schema {found}, version {VERSION} reads {SCHEMA} and older"
    for number in range(found + 1, SCHEMA + 1):
        for statement in MIGRATIONS[number]:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
    connection.execute("COMMIT")
    connection.close()
    return None


class Handler(BaseHTTPRequestHandler):
    refusal = None
    path_of_data = None

    def do_GET(self):
        if self.path == "/health":
            self.answer(200, {"version": VERSION, "schema": SCHEMA, "refusal": self.refusal})
        elif self.path != "/notes":
            self.answer(404, {"error": "there are /notes and /health"})
        elif self.refusal:
            self.answer(503, {"error": self.refusal})
        else:
            columns = ["id", "text", "length"][: 2 if SCHEMA < 2 else 3]
            connection = connect(self.path_of_data)
            rows = connection.execute(f"SELECT {', '.join(columns)} FROM notes ORDER BY id").fetchall()
            connection.close()
            self.answer(200, {"notes": [dict(zip(columns, row)) for row in rows]})

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if self.path != "/notes" or not 0 < length <= LARGEST:
            return self.answer(400, {"error": "POST a text of 1 to 65536 bytes to /notes"})
        if self.refusal:
            return self.answer(503, {"error": self.refusal})
        text = self.rfile.read(length).decode("utf-8", "replace")
        connection = connect(self.path_of_data)
        if SCHEMA < 2:
            cursor = connection.execute("INSERT INTO notes (text) VALUES (?)", (text,))
        else:
            cursor = connection.execute("INSERT INTO notes (text, length) VALUES (?, ?)", (text, len(text)))
        connection.close()
        self.answer(201, {"id": cursor.lastrowid})

    def answer(self, status, body):
        content = (json.dumps(body) + "\n").encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def main():
    Handler.path_of_data = sys.argv[1]
    Handler.refusal = migrate(sys.argv[1])
    if Handler.refusal:
        print(Handler.refusal, file=sys.stderr, flush=True)
    ThreadingHTTPServer(("", 8080), Handler).serve_forever()


main()
