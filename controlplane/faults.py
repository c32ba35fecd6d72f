"""What is wrong with a request, in words, from what pydantic found. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

# By pydantic's types of errors. What is not here, or was written by us, is said as it is.
WORDS: Final = {
    "missing": "it is missing",
    "extra_forbidden": "there is no such member",
    "greater_than": "it must be more than {gt}",
    "greater_than_equal": "it must be at least {ge}",
    "less_than": "it must be less than {lt}",
    "less_than_equal": "it must be at most {le}",
    "finite_number": "it must be a finite number",
    "int_type": "it must be a whole number",
    "int_parsing": "it must be a whole number",
    "int_from_float": "it must be a whole number",
    "float_type": "it must be a number",
    "float_parsing": "it must be a number",
    "bool_type": "it must be true or false",
    "bool_parsing": "it must be true or false",
    "string_type": "it must be a text",
    "string_too_short": "its length must be at least {min_length}",
    "string_too_long": "its length must be at most {max_length}",
    "list_type": "it must be a list",
    "too_short": "its length must be at least {min_length}, not {actual_length}",
    "too_long": "its length must be at most {max_length}, not {actual_length}",
    "dict_type": "it must be an object",
    "model_type": "it must be an object",
    "model_attributes_type": "it must be an object",
    "literal_error": "it must be {expected}",
    "enum": "it must be {expected}",
    "uuid_parsing": "it must be an id",
}
FORMS: Final = {
    "^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$": "it must be lower-case letters, digits and dashes, 40 at "
    "most, with a letter first and no dash last",
    "^(concurrency|rps)$": "it must be concurrency or rps",
}


def faults_of(errors: Sequence[Mapping[str, Any]], body: Any) -> list[dict[str, str]]:
    """Give each fault once: its field, and a detail that goes on from it.

    errors  as pydantic, and FastAPI's places before them, have them
    body    that was read, or None: it tells members from pydantic's names of alternatives
    """
    found: dict[str, list[str]] = {}
    alternatives = set[str]()
    for error in errors:
        source, *place = error["loc"]
        field, is_alternative = _field(place, body) if source == "body" else (_joined(place), False)
        if error["type"] == "missing" and is_alternative:
            field, is_alternative = _joined([field, place[-1]]), False
        if not field and error["type"] != "value_error":
            field = source
        if is_alternative:
            alternatives.add(field)
        details = found.setdefault(field, [])
        if (detail := words(error)) not in details:
            details.append(detail)
    return [
        {"field": field, "detail": ", or ".join(details)}
        for field, details in found.items()
        # Of several alternatives it was one, with something wrong in it, and not the others.
        if field not in alternatives or not any(name.startswith(f"{field}.") for name in found)
    ]


def sentence(fault: Mapping[str, str]) -> str:
    """Say a fault by itself."""
    return f"{fault['field']}: {fault['detail']}" if fault["field"] else fault["detail"]


def words(error: Mapping[str, Any]) -> str:
    """Say what one error is of."""
    told, context = str(error["msg"]).removeprefix("Value error, "), error.get("ctx") or {}
    if error["type"] == "string_pattern_mismatch":
        return FORMS.get(context["pattern"], "it is not written as the reference at /docs tells")
    form = WORDS.get(error["type"])
    return told if form is None else form.format_map({n: _plain(v) for n, v in context.items()})


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _field(place: Sequence[int | str], body: Any) -> tuple[str, bool]:
    """Give the place in the body, and whether it is an alternative of what is there."""
    kept, here, holds = list[int | str](), body, True
    for part in place:
        holds = part in here if isinstance(here, Mapping) else _is_index(part, here)
        if holds:
            kept.append(part)
            here = here[part]
    return _joined(kept), not holds


def _is_index(part: int | str, here: Any) -> bool:
    return isinstance(here, list) and isinstance(part, int) and 0 <= part < len(here)


def _joined(place: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in place if part != "")
