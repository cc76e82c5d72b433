"""Documents in S3: which version is read, where the copies go, what is said of them."""

import json

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from examples.document_release.chalicelib.documents import Document
from examples.document_release.chalicelib.scan import UnreadableError
from examples.document_release.chalicelib.split import Chunk
from tests.examples.document_release.world import BUCKET, EXECUTION, World

NAMES = ["report.txt", "2026/q3/report.txt", "Größe & Länge+1 100%.txt", "a b  c", "日本語.md"]


def text(world: World, key: str) -> str:
    """Return what stands in an object."""
    found: bytes = world.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return found.decode()


@pytest.mark.parametrize("name", NAMES)
def test_a_released_document_keeps_its_name(world: World, name: str) -> None:
    """Folders and all; the one that came in stays where it is."""
    document = world.put("text", name)
    assert world.documents.release(document) == f"released/{name}"
    assert text(world, f"released/{name}") == text(world, f"incoming/{name}") == "text"


@pytest.mark.parametrize("name", NAMES)
def test_a_held_document_has_the_reason_beside_it(world: World, name: str) -> None:
    """As JSON, readable for people."""
    reason = {"reason": "rejected by ada@example.com (“später”)"}
    assert world.documents.hold(world.put("text", name), reason) == f"held/{name}"
    assert text(world, f"held/{name}") == "text"
    assert json.loads(text(world, f"held/{name}.reason.json")) == reason
    assert "später" in text(world, f"held/{name}.reason.json")


def test_what_people_decided_on_is_what_goes_out(world: World) -> None:
    """Not what was put under its name after they were asked."""
    decided = world.put("harmless")
    world.put("4111 1111 1111 1111")
    world.documents.release(decided)
    assert text(world, "released/report.txt") == "harmless"


def test_the_reason_is_there_before_the_document(world: World) -> None:
    """Whoever sees it in `held/` finds out why; dying in between leaves no document without."""
    document = world.put("text")
    assert world.dying(2, lambda: world.documents.hold(document, {"reason": "why"}))
    keys = [one["Key"] for one in world.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["held/report.txt.reason.json", "incoming/report.txt"]


def test_a_document_is_read_part_by_part(world: World) -> None:
    """Its size is known before it is read."""
    size, parts = world.documents.read(world.put(b"x" * 3_000_000))
    assert size == 3_000_000
    assert [len(part) for part in parts] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]


@pytest.mark.parametrize(
    ("key", "version", "code"),
    [("incoming/no", "null", "NoSuchVersion"), ("incoming/report.txt", "x" * 32, "NoSuchVersion")],
)
def test_a_document_that_isnt_there_is_unreadable(
    world: World, key: str, version: str, code: str
) -> None:
    """The name and AWS's word for it are said."""
    world.put("text")
    with pytest.raises(UnreadableError, match=f"{key} can't be read: {code}"):
        world.documents.read(Document(key, version))


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_a_chunk_that_is_missing_or_denied_is_unreadable(world: World, code: str) -> None:
    """S3 says the one or the other, by the reader's rights."""
    with Stubber(world.s3) as stub:
        stub.add_client_error("get_object", code, http_status_code=403)
        with pytest.raises(UnreadableError, match=f"chunks/x/3 can't be read: {code}"):
            world.documents.chunk("x", 3)


def test_a_fault_of_s3_is_no_fault_of_the_chunk(world: World) -> None:
    """Nobody is told that it can't be read; the event comes again."""
    with Stubber(world.s3) as stub:
        stub.add_client_error("get_object", "SlowDown", http_status_code=503)
        with pytest.raises(ClientError, match="SlowDown"):
            world.documents.chunk("x", 3)


def test_a_chunk_comes_back_as_it_was_put(world: World) -> None:
    """With its place in the document, and of how many it is one."""
    chunk = Chunk(12, 7_200, 512, 600, b"x" * 1_624)
    world.documents.put_chunk(EXECUTION, chunk, 40)
    assert world.events == [f"chunks/{EXECUTION}/12"]
    assert world.documents.chunk(EXECUTION, 12) == (chunk, 40)
