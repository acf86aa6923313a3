#!/usr/bin/python3
"""The application: what is in the shop. It begins by reading the table that the migration makes."""
import http.server
import json
import sqlite3


def items():
    database = sqlite3.connect("file:/var/lib/shop/shop.db?mode=ro", uri=True)
    try:
        return database.execute("SELECT name, price FROM items ORDER BY name").fetchall()
    finally:
        database.close()


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(items()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        pass


print(f"{len(items())} items", flush=True)
http.server.ThreadingHTTPServer(("127.0.0.1", 8000), Shop).serve_forever()
