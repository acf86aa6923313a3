"""What a file of traces must be to be OTLP in its JSON form: opentelemetry-proto 1 (trace.proto, common.proto, resource.proto) with the rules of the OTLP
specification for JSON: lowerCamelCase names and no others, ids in hexadecimal, enums as numbers, 64-bit integers as decimal strings."""
import re

STATUS_UNSET, STATUS_OK, STATUS_ERROR = 0, 1, 2


def hexadecimal(size):
    def check(value, where):
        assert isinstance(value, str) and re.fullmatch(f"[0-9a-f]{{{size * 2}}}", value), f"{where}: not {size} bytes in hex: {value!r}"
        assert value.strip("0"), f"{where}: an id of zeros is none"
    return check


def text(value, where):
    assert isinstance(value, str), f"{where}: no text: {value!r}"


def integer64(value, where):
    assert isinstance(value, str) and re.fullmatch(r"-?\d+", value), f"{where}: a 64-bit integer is a decimal string: {value!r}"
    assert -2**63 <= int(value) < 2**64, f"{where}: too large: {value}"


def nanoseconds(value, where):
    integer64(value, where)
    assert 1_600_000_000 * 10**9 < int(value) < 4_000_000_000 * 10**9, f"{where}: no time since the epoch: {value}"


def one_of(*allowed):
    def check(value, where):
        assert isinstance(value, int) and not isinstance(value, bool) and value in allowed, f"{where}: {value!r} is not one of {allowed}"
    return check


def message(required=(), **fields):
    def check(value, where):
        assert isinstance(value, dict), f"{where}: no message: {value!r}"
        for name in required:
            assert name in value, f"{where}: {name} is missing"
        for name, part in value.items():
            assert name in fields, f"{where}: there is no field {name}"
            fields[name](part, f"{where}.{name}")
    return check


def repeated(element):
    def check(value, where):
        assert isinstance(value, list), f"{where}: no list: {value!r}"
        for index, one in enumerate(value):
            element(one, f"{where}[{index}]")
    return check


def any_value(value, where):
    assert isinstance(value, dict) and len(value) == 1, f"{where}: exactly one kind of value: {value!r}"
    message(stringValue=text, intValue=integer64)(value, where)


def attributes(value, where):
    repeated(message(required=("key", "value"), key=text, value=any_value))(value, where)
    keys = [one["key"] for one in value]
    assert len(keys) == len(set(keys)), f"{where}: a key twice: {keys}"


EVENT = message(required=("timeUnixNano", "name"), timeUnixNano=nanoseconds, name=text, attributes=attributes)
LINK = message(required=("traceId", "spanId"), traceId=hexadecimal(16), spanId=hexadecimal(8), attributes=attributes)
STATUS = message(code=one_of(STATUS_UNSET, STATUS_OK, STATUS_ERROR), message=text)
SPAN = message(required=("traceId", "spanId", "name", "kind", "startTimeUnixNano", "endTimeUnixNano"), traceId=hexadecimal(16), spanId=hexadecimal(8),
               parentSpanId=hexadecimal(8), name=text, kind=one_of(0, 1, 2, 3, 4, 5), startTimeUnixNano=nanoseconds, endTimeUnixNano=nanoseconds,
               attributes=attributes, events=repeated(EVENT), links=repeated(LINK), status=STATUS)
SCOPE = message(required=("name",), name=text, version=text, attributes=attributes)
TRACES = message(required=("resourceSpans",), resourceSpans=repeated(message(
    required=("resource", "scopeSpans"), resource=message(attributes=attributes),
    scopeSpans=repeated(message(required=("spans",), scope=SCOPE, spans=repeated(SPAN))))))


def spans_of(traces, outside=()):
    """All spans, when the file is as it must be. `outside`: spans that are somebody else's."""
    TRACES(traces, "traces")
    spans = [span for resource in traces["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]
    known = {(span["traceId"], span["spanId"]): span for span in spans}
    assert len(known) == len(spans), "two spans have the same id"
    for span in spans:
        begin, end = int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])
        assert begin <= end, f"{span['name']} ends before it begins"
        parent = span.get("parentSpanId")
        if parent and parent not in outside:
            whole = known.get((span["traceId"], parent))
            assert whole, f"{span['name']} has a parent that is not there"
            assert int(whole["startTimeUnixNano"]) <= begin and end <= int(whole["endTimeUnixNano"]), f"{span['name']} is longer than {whole['name']}"
        for link in span.get("links", []):
            assert (link["traceId"], link["spanId"]) in known, f"{span['name']} is linked to a span that is not there"
    return spans


def attributes_of(span):
    return {one["key"]: next(iter(one["value"].values())) for one in span["attributes"]}
