"""Forms and queries: each takes the fields that it names, of the right type, and no others."""

from typing import Any

import pytest

from chalicelib.domain.decoding import convert
from chalicelib.domain.errors import InvalidRequest
from chalicelib.entrypoints.forms import (
    ApprovalsQuery,
    ConfirmationForm,
    DecisionForm,
    InboxForm,
    ReassignForm,
    RequesterForm,
)

FORMS: dict[type[Any], dict[str, Any]] = {
    DecisionForm: {"reason": "so", "code": "123456"},
    ReassignForm: {"to": "grace@example.com", "note": "please", "code": "123456"},
    RequesterForm: {"reason": "so"},
    InboxForm: {"choice": "approve", "chosen": ["x"], "reason": "so", "confirmed": "yes"},
    ApprovalsQuery: {"outcome": "expired", "limit": 7, "next": "x"},
    ConfirmationForm: {"url": "https://example.com/"},
}
FIELDS = [(form, field) for form, fields in FORMS.items() for field in fields]
REQUIRED = {"choice", "url"}


@pytest.mark.parametrize(("form", "field"), FIELDS)
def test_a_field_of_a_wrong_type_is_refused_by_name(form: type[Any], field: str) -> None:
    assert getattr(convert(FORMS[form], form), field)
    wrongs: list[object] = [None, {}, 1.5, [1]]
    for wrong in wrongs:
        with pytest.raises(InvalidRequest) as refusal:
            convert(FORMS[form] | {field: wrong}, form)
        assert refusal.value.field is not None
        assert refusal.value.field.removesuffix("[0]") == field


@pytest.mark.parametrize(("form", "field"), FIELDS)
def test_only_a_choice_and_a_url_are_required(form: type[Any], field: str) -> None:
    sent = {name: value for name, value in FORMS[form].items() if name != field}
    if field in REQUIRED:
        with pytest.raises(InvalidRequest) as refusal:
            convert(sent, form)
        assert refusal.value.field == field
    else:
        assert convert(sent, form) != convert(FORMS[form], form)


@pytest.mark.parametrize("form", FORMS)
def test_an_unknown_field_and_anything_but_an_object_are_refused(form: type[Any]) -> None:
    """A misspelled field isn't ignored: its sender may rely on it."""
    wrongs: list[object] = [FORMS[form] | {"resaon": "so"}, [], None, "text"]
    for wrong in wrongs:
        with pytest.raises(InvalidRequest):
            convert(wrong, form)
