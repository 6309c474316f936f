"""What the fuzzer has to be told about the interface, and a check of its own."""

import schemathesis

# Codes of faults and problems for what no schema can say.
BEYOND_SCHEMA = set("""
unknown_city unknown_term retired_term unknown_record
""".split())


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """The checks of credentials know bearer tokens, but not where they are got (oauth2)."""
    schemes = raw_schema["components"]["securitySchemes"]
    schemes["oauth2"] = {"type": "http", "scheme": "bearer"}
    for item in raw_schema["paths"].values():
        for operation in item.values():
            operation["security"] = [{"oauth2": []} if one else {} for one in operation.get("security", [])]


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
    problem = response.json()
    codes = {fault["code"] for fault in problem.get("errors", [])} or {problem["code"]}
    surprising = codes - BEYOND_SCHEMA
    assert not surprising, f"fits the document, but was refused: {', '.join(sorted(surprising))}"
