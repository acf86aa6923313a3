"""The schemas of this folder, and what does not fit them."""
import json
import os

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))


def definitions(name):
    with open(os.path.join(HERE, f"{name}.json"), encoding="utf-8") as file:
        return json.load(file)["definitions"]


def problems(value, schema, known):
    """Each as `path: message`; `known` are the definitions that the schema refers to."""
    validator = jsonschema.Draft7Validator({**schema, "definitions": known})
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]


def places(value, path=()):
    """Every key and every scalar below `value`, as (path, container, key)."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in list(items):
        yield (*path, key), value, key
        yield from places(below, (*path, key))
