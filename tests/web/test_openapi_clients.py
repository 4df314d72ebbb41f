"""Programs that read the OpenAPI file understand it: validators, and generators of clients."""

from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from paperround.web.auth import SCHEME
from paperround.web.openapi import TAGS, operations
from tests.web.conftest import PUBLIC_URL, Site

OPERATIONS = """
    add_person add_suppression approve_edition archive cancel_edition change_channel change_choices
    change_feed change_list create_api_key create_channel create_feed create_new_list
    create_subscription delete_channel delete_feed drop_paper erase_person_data explain_list
    export_feeds export_person_data find_people hold_list import_feeds lift_suppression
    list_all_lists list_api_keys list_audit list_bounces list_channels list_daily_papers
    list_deliveries list_editions list_feeds list_lists list_papers list_personal_deliveries
    list_quarantine list_rejects list_runs list_suppressions list_trending look_up_suppression
    move_person note_edition pause_channel pause_list pause_person pin_paper preview_feed
    read_api_key read_channel read_edition read_edition_of_cut read_feed read_list read_paper
    read_paper_as_hugging_face read_person read_quarantined read_stats read_timeline
    resend_confirmation restore resume_channel resume_list revoke_api_key run_feed search_papers
    search_papers_as_hugging_face send_edition send_missed_digests send_test_mail show_edition
    show_missed try_channel undo_cancelled unsubscribe_person upload_papers
""".split()
"""What generated clients call the routes: to rename one breaks them."""


@pytest.fixture
def schema(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.client.get("/api/openapi.json").json()
    return found


def examples(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """(where, schema, example) of every example and default in the file."""
    for name, model in schema["components"]["schemas"].items():
        yield from of_schema(name, model)
        for field, inner in model.get("properties", {}).items():
            yield from of_schema(f"{name}.{field}", inner)
    for _, operation in operations(schema):
        where = operation["operationId"]
        for one in operation.get("parameters", ()):
            yield from of_schema(f"{where} {one['name']}", one["schema"])
        for answer in (operation.get("requestBody", {}), *operation["responses"].values()):
            for kind, content in answer.get("content", {}).items():
                if "example" in content:
                    yield f"{where} {kind}", content["schema"], content["example"]


def of_schema(where: str, schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for example in schema.get("examples", ()):
        yield where, schema, example
    if "default" in schema:
        yield f"{where} by default", schema, schema["default"]


def misfit(schema: dict[str, Any], wanted: dict[str, Any], example: Any) -> str:
    """What is wrong with an example; empty where it fits."""
    whole = {**wanted, "components": schema["components"]}
    checker = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    return "; ".join(one.message for one in checker.iter_errors(example))


@pytest.mark.accept("F42", part="examples", mutant="an-example-lacks-a-field")
def test_every_example_and_every_default_fits_its_schema(schema: dict[str, Any]) -> None:
    found = list(examples(schema))
    assert len(found) > 60
    wrong = [(where, misfit(schema, wanted, example)) for where, wanted, example in found]
    assert [one for one in wrong if one[1]] == []


@pytest.mark.accept("F42", part="generated clients", mutant="two-models-share-a-name")
def test_no_two_models_share_a_name(schema: dict[str, Any]) -> None:
    """The framework would call each by its module, and a generated client cannot read that."""
    assert [name for name in schema["components"]["schemas"] if "__" in name] == []


@pytest.mark.accept("F42", part="generated clients", mutant="routes-are-called-by-their-address")
def test_the_names_of_the_operations_stay(schema: dict[str, Any]) -> None:
    assert sorted(one["operationId"] for _, one in operations(schema)) == OPERATIONS


def test_every_route_says_whether_it_needs_a_key(schema: dict[str, Any]) -> None:
    for path, operation in operations(schema):
        needs = [name for one in operation["security"] for name in one]
        assert needs == ([SCHEME] if "/admin/" in path else []), path


def test_the_file_says_where_the_api_is_and_what_its_parts_are(schema: dict[str, Any]) -> None:
    assert schema["servers"] == [{"url": PUBLIC_URL}]
    assert schema["info"]["license"]["identifier"] == "Apache-2.0"
    assert {one["name"] for one in schema["tags"]} == TAGS.keys()
    assert {tag for _, one in operations(schema) for tag in one["tags"]} == TAGS.keys()


def test_a_validator_finds_nothing_wrong_with_the_file(schema: dict[str, Any]) -> None:
    library = pytest.importorskip(
        "openapi_spec_validator", reason="needs `pip install openapi-spec-validator`"
    )
    library.validate(schema)
