"""What the fuzzer has to be told about the interface, and checks of our own."""

import datetime
import itertools
import os
from collections.abc import MutableMapping

import schemathesis
from hypothesis import strategies
from schemathesis.core.parameters import ParameterLocation

# What only the service makes, and takes from nobody else. Invented, it would hide what else a request asks.
MADE_BY_THE_SERVICE = {ParameterLocation.QUERY: "cursor", ParameterLocation.HEADER: "X-Consistency-Token"}
# Faults that a schema tells of; a request that fits the document has none of them.
SAID_BY_SCHEMAS = set("""
    malformed_json bad_header unknown_parameter unknown_member wrong_type not_in_list too_short too_long too_many
    bad_name bad_format invalid
""".split())
# Of the requests that try each limit of each schema by itself, every so many is sent, beginning with one of them.
EVERY = int(os.environ.get("FUZZ_EVERY", 1))

numbers = itertools.count(1)
tries = itertools.count(int(os.environ.get("FUZZ_FROM", 0)))


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The checks of credentials know bearer tokens, but not where they are got (oauth2)."""
    raw_schema["components"]["securitySchemes"]["oauth2"] = {"type": "http", "scheme": "bearer"}
    for item in raw_schema["paths"].values():
        for operation in item.values():
            operation["security"] = [{"oauth2": []} if one else {} for one in operation["security"]]


@schemathesis.hook
def filter_case(context, case):
    """In the phase `coverage`, which cannot be told how much to send: some of it, from all over."""
    if case.operation.label == "POST /v1/imports" and case.meta and case.meta.is_negative_at(ParameterLocation.BODY):
        return False  # a file is anything: what is wrong in it is told by the job
    return case.meta is None or case.meta.phase.name.value != "coverage" or next(tries) % EVERY == 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """No invented cursors and tokens; Idempotency-Keys that differ, as those of real clients do."""
    for location, name in MADE_BY_THE_SERVICE.items():
        values = case.get_container(location)
        if not isinstance(values, MutableMapping) or case.meta and case.meta.is_negative_at(location):
            continue
        values.pop(name, None)
        if "Idempotency-Key" in values:
            values["Idempotency-Key"] = f"fuzz-{next(numbers)}"


@schemathesis.hook
def map_case(context, case):
    """No control characters, which no text here may have and no schema can exclude."""
    if case.meta is None or not case.meta.is_negative_at(ParameterLocation.BODY):
        case.body = readable(case.body)
    return case


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_it_is(context, value):
    """A file to import."""
    return str(value).encode()


def readable(value):
    """The same with other characters in their place."""
    if isinstance(value, str):
        return "".join(one if one.isprintable() or one.isspace() and one in "\n\t " else "?" for one in value)
    if isinstance(value, list):
        return [readable(one) for one in value]
    if isinstance(value, dict):
        return {readable(name): readable(one) for name, one in value.items()}
    return value


def partial_dates():
    """Dates as the document describes them: known to the year, the month or the day."""
    days = strategies.dates(datetime.date(1800, 1, 1), datetime.date(2200, 12, 31)).map(str)
    return strategies.tuples(days, strategies.sampled_from([4, 7, 10])).map(lambda one: one[0][: one[1]])


schemathesis.openapi.format("partial-date", partial_dates())


@schemathesis.check
def every_error_is_a_problem(ctx, response, case):
    """Also where no operation is, and nothing is documented: a wrong method, a wrong path."""
    if response.status_code < 400 or case.operation.path == "/oauth/token":
        return  # RFC 6749 has errors of its own
    types = response.headers.get("content-type", [""])
    assert types == ["application/problem+json"], f"an error as {types[0]}"
    problem = response.json()
    assert problem["status"] == response.status_code
    assert response.headers["x-request-id"] == [problem["request_id"]]


@schemathesis.check
def refused_for_what_no_schema_says(ctx, response, case):
    """A request that fits the document may break a rule or name what is not there, but is not malformed."""
    if response.status_code not in (400, 422) or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if case.operation.path == "/oauth/token":
        return
    problem = response.json()
    codes = {fault["code"] for fault in problem.get("errors", [])} or {problem["code"]}
    said = codes & SAID_BY_SCHEMAS
    assert not said, f"fits the document, but was refused: {', '.join(sorted(said))}"
