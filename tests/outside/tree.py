"""The signed tree by docs/export-format.md alone: RFC 9162 hashes, and C2SP signed notes."""

import base64
import hashlib


class NotSigned(Exception):
    """Why a note is not one of the key."""


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def root(leaves: list[bytes]) -> bytes:
    """The root by the definition of RFC 9162, 2.1.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node(root(leaves[:split]), root(leaves[split:]))


def included(hashed: bytes, index: int, size: int, path: list[bytes], expected: bytes) -> bool:
    """Whether a path leads from a leaf to the root: RFC 9162, 2.1.3.2, by going down and up again."""
    if not 0 <= index < size:
        return False
    sides, low, high = [], 0, size
    while high - low > 1:
        split = low + (1 << (high - low - 1).bit_length() - 1)
        sides.append(index < split)
        low, high = (low, split) if index < split else (split, high)
    if len(sides) != len(path):
        return False
    for is_left, step in zip(reversed(sides), path, strict=True):
        hashed = node(hashed, step) if is_left else node(step, hashed)
    return hashed == expected


def opened(note: str, key: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that this key signed; `NotSigned` otherwise."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    name, key_id, encoded = key.strip().split("+", 2)
    kind_and_key = base64.b64decode(encoded)
    expected = hashlib.sha256(name.encode() + b"\n" + kind_and_key).digest()[:4]
    if kind_and_key[0] != 1 or expected.hex() != key_id:
        raise NotSigned("the public key is none")
    text, _, signatures = note.rpartition("\n\n")
    for line in signatures.splitlines():
        dash, signer, signed = line.split(" ")
        raw = base64.b64decode(signed)
        if dash != "\u2014" or signer != name or raw[:4] != expected:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(kind_and_key[1:]).verify(raw[4:], f"{text}\n".encode())
        except InvalidSignature as reason:
            raise NotSigned("the signature is not one of this text") from reason
        origin, size, encoded_root = text.split("\n")[:3]
        if origin != name:
            raise NotSigned("it is one of another log")
        return int(size), base64.b64decode(encoded_root)
    raise NotSigned("this key has not signed it")
