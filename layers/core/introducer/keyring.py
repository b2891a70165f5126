"""Named secrets of the product, wrapped by KMS and kept in the People table.

A secret is 32 random bytes made by KMS on first use; only its wrapped form is
stored, and KMS unwraps it once per process. The name is the encryption context,
so a wrapped key moved under another name does not open. One secret keys the
hashes of identities, one each encrypts bank data and tax data, one makes the codes by
which changes of bank data are confirmed, and each inbound webhook source has its own.
"""

from __future__ import annotations

import os
from functools import cache

from introducer.clients import client
from introducer.errors import AlreadyExistsError, NotFoundError
from introducer.settings import setting
from introducer.tables import store

IDENTITY = "identity"
PAYEE = "payee"
TAX = "tax"
CONFIRM = "confirm"
IDEMPOTENCY = "idempotency"
PAGE = "page"
PROVIDER = "provider"
PROVIDER_WEBHOOK = "provider_webhook"

_NONCE_BYTES = 12


@cache
def secret(name: str) -> bytes:
    """Return the 32 bytes of the secret *name*, made now if there are none yet."""
    try:
        return existing_secret(name)
    except NotFoundError:
        return create_secret(name)


@cache
def existing_secret(name: str) -> bytes:
    """Return the secret *name*.

    Raises:
        NotFoundError: There is none.
    """
    wrapped = store.get(store.Table.PEOPLE, f"KEY#{name}", "KEY")
    if wrapped is None:
        message = "no such key"
        raise NotFoundError(message)
    answer = client("kms").decrypt(
        CiphertextBlob=wrapped["wrapped"],
        EncryptionContext={"name": name},
        KeyId=setting("KEY_ARN"),
    )
    return bytes(answer["Plaintext"])


def create_secret(name: str) -> bytes:
    """Make the secret *name*; when somebody was first, return theirs."""
    answer = client("kms").generate_data_key(
        KeyId=setting("KEY_ARN"), KeySpec="AES_256", EncryptionContext={"name": name}
    )
    try:
        store.put(
            store.Table.PEOPLE,
            f"KEY#{name}",
            "KEY",
            {"wrapped": answer["CiphertextBlob"]},
            condition=store.absent(),
            error=AlreadyExistsError("this key was made by somebody else"),
        )
    except AlreadyExistsError:
        return existing_secret(name)
    return bytes(answer["Plaintext"])


def encrypt(name: str, plaintext: bytes, *, bound_to: str) -> bytes:
    """Return *plaintext* under AES-256-GCM with the secret *name*.

    Args:
        name: Which secret.
        plaintext: What to hide.
        bound_to: The item it belongs to; elsewhere it will not decrypt.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 15 ms, only for payees

    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(secret(name)).encrypt(nonce, plaintext, bound_to.encode())


def decrypt(name: str, ciphertext: bytes, *, bound_to: str) -> bytes:
    """Return what :func:`encrypt` hid.

    Raises:
        cryptography.exceptions.InvalidTag: It was changed, or belongs to another item.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # 15 ms, only for payees

    nonce, body = ciphertext[:_NONCE_BYTES], ciphertext[_NONCE_BYTES:]
    return AESGCM(secret(name)).decrypt(nonce, body, bound_to.encode())
