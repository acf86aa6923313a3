"""Holds answers against what /openapi.json says of them. Every answer that a test gets comes by here."""
import copy
import functools
import json
import os
import re

import jsonschema

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../daemon/http/api/openapi.json")
OF_ANY_PATH = {400, 405, 408, 413, 429, 431, 500, 501, 503, 505}  # refusals that are no path's own
TOO_LARGE = 200_000  # bytes: beyond that the check would take longer than the test


def strict(schema):
    """The same without room for fields that are not described. Clients must bear those, tests need not."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: strict(value) for key, value in schema.items()}
    if isinstance(changed.get("properties"), dict):
        changed.setdefault("additionalProperties", False)
    return changed


class Description:
    def __init__(self):
        with open(SOURCE, encoding="utf-8") as file:
            self.document = json.load(file)
        self.components = strict(copy.deepcopy(self.document["components"]))
        self.templates = [(re.compile("^" + re.escape(path).replace(r"\{name\}", "[^/]+") + "/?$"), item)
                          for path, item in self.document["paths"].items()]

    def item_of(self, path):
        return next((item for pattern, item in self.templates if pattern.match(path)), None)

    @functools.lru_cache(maxsize=64)
    def validator(self, schema):
        return jsonschema.Draft202012Validator({"components": self.components, **json.loads(schema)})

    def check(self, method, target, status, content_type, body):
        """Raises AssertionError where the answer is not what is described."""
        kind = (content_type or "").split(";")[0].strip()
        answers = self.answers(method, target.split("?")[0], status)
        if method == "HEAD" or answers is None:
            return
        assert kind in answers, f"{method} {target}: {status} as {kind!r}, which is not described; only {sorted(answers)}"
        if "json" not in kind or len(body) > TOO_LARGE:
            return
        schema = json.dumps(strict(answers[kind]["schema"]))
        errors = [f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
                  for error in self.validator(schema).iter_errors(json.loads(body))]
        assert not errors, f"{method} {target}: " + "\n".join(errors[:5])

    def answers(self, method, path, status):
        """By media type. None: there is nothing to be held against it."""
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        item = self.item_of(path)
        if item is None or method.lower() not in item:
            assert status in (404, 405, 403, 401, 400), f"{method} {path}: {status}, and it is not described"
            return problem
        responses = item[method.lower()]["responses"]
        if str(status) in responses:
            return responses[str(status)].get("content")
        if "default" in responses:
            return responses["default"].get("content")
        assert status in OF_ANY_PATH, f"{method} {path}: {status} is not described"
        return problem


DESCRIPTION = Description()
