"""Documents in S3: the version that is read, the copies, the reason beside a held one."""

import json

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from examples.document_release.chalicelib.chunks import Chunk
from examples.document_release.chalicelib.documents import Document
from examples.document_release.chalicelib.scan import UnreadableError
from tests.integration.examples.document_release.moto_wiring import BUCKET, EXECUTION, MotoWiring

NAMES = ["report.txt", "2026/q3/report.txt", "Größe & Länge+1 100%.txt", "a b  c", "日本語.md"]


def text(wiring: MotoWiring, key: str) -> str:
    """Return the content of an object."""
    found: bytes = wiring.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return found.decode()


@pytest.mark.parametrize("name", NAMES)
def test_a_released_document_keeps_its_name(wiring: MotoWiring, name: str) -> None:
    """With its folders; the uploaded document stays where it is."""
    document = wiring.upload("text", name)
    assert wiring.documents.release(document) == f"released/{name}"
    assert text(wiring, f"released/{name}") == text(wiring, f"incoming/{name}") == "text"


@pytest.mark.parametrize("name", NAMES)
def test_a_held_document_has_the_reason_beside_it(wiring: MotoWiring, name: str) -> None:
    """As JSON with unescaped characters."""
    reason = {"reason": "rejected by ada@example.com (“später”)"}
    assert wiring.documents.hold(wiring.upload("text", name), reason) == f"held/{name}"
    assert text(wiring, f"held/{name}") == "text"
    assert json.loads(text(wiring, f"held/{name}.reason.json")) == reason
    assert "später" in text(wiring, f"held/{name}.reason.json")


def test_the_approved_version_is_released(wiring: MotoWiring) -> None:
    """Not the one that was uploaded under the same name after the request."""
    decided = wiring.upload("harmless")
    wiring.upload("4111 1111 1111 1111")
    wiring.documents.release(decided)
    assert text(wiring, "released/report.txt") == "harmless"


def test_the_reason_is_written_before_the_document(wiring: MotoWiring) -> None:
    """A crash between the two leaves no document in `held/` without its reason."""
    document = wiring.upload("text")
    assert wiring.crashes(lambda: wiring.documents.hold(document, {"reason": "why"}), at=2)
    keys = [one["Key"] for one in wiring.s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert keys == ["held/report.txt.reason.json", "incoming/report.txt"]


def test_a_document_is_read_part_by_part(wiring: MotoWiring) -> None:
    """Its size is known before it is read."""
    size, parts = wiring.documents.read(wiring.upload(b"x" * 3_000_000))
    assert size == 3_000_000
    assert [len(part) for part in parts] == [1 << 20, 1 << 20, 3_000_000 - (2 << 20)]


@pytest.mark.parametrize(
    ("key", "version", "code"),
    [("incoming/no", "null", "NoSuchVersion"), ("incoming/report.txt", "x" * 32, "NoSuchVersion")],
)
def test_a_missing_document_is_unreadable(
    wiring: MotoWiring, key: str, version: str, code: str
) -> None:
    """The error has the key and S3's error code."""
    wiring.upload("text")
    with pytest.raises(UnreadableError, match=f"{key} can't be read: {code}"):
        wiring.documents.read(Document(key, version))


@pytest.mark.parametrize("code", ["NoSuchKey", "AccessDenied"])
def test_a_chunk_that_is_missing_or_denied_is_unreadable(wiring: MotoWiring, code: str) -> None:
    """S3's error code depends on the reader's permissions."""
    with Stubber(wiring.s3) as stub:
        stub.add_client_error("get_object", code, http_status_code=403)
        with pytest.raises(UnreadableError, match=f"chunks/x/3 can't be read: {code}"):
            wiring.documents.chunk("x", 3)


def test_another_error_of_s3_is_raised(wiring: MotoWiring) -> None:
    """The task isn't failed, and Lambda retries the event."""
    with Stubber(wiring.s3) as stub:
        stub.add_client_error("get_object", "SlowDown", http_status_code=503)
        with pytest.raises(ClientError, match="SlowDown"):
            wiring.documents.chunk("x", 3)


def test_a_chunk_is_read_as_it_was_written(wiring: MotoWiring) -> None:
    """With its place in the document and the number of all chunks."""
    chunk = Chunk(12, 7_200, 512, 600, b"x" * 1_624)
    wiring.documents.put_chunk(EXECUTION, chunk, 40)
    assert wiring.events == [f"chunks/{EXECUTION}/12"]
    assert wiring.documents.chunk(EXECUTION, 12) == (chunk, 40)
