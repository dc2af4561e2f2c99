#!/usr/bin/env bash
# isal 1.8.0: up to six bytes behind the end of a deflate stream are missing from `unused_data`.
#
# A decompressor is given a raw deflate stream of three letters and some bytes behind it. With seven
# or more `unused_data` has them all, as zlib's has; with one to six it is empty, and `unconsumed_tail`
# as well, so what follows the stream in the same buffer is lost: the four bytes that end a message of
# permessage-deflate, for one. isal 1.9.0 gives them all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
for version in 1.8.0 1.9.0; do
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "isal==$version"
    VERSION=$version "$folder/venv/bin/python" - <<'PYTHON'
import os
import zlib

from isal import isal_zlib

compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
stream = compressor.compress(b"abc") + compressor.flush()
lost = []
for count in range(14):
    behind = bytes(range(count))
    reference = zlib.decompressobj(-15)
    inflater = isal_zlib.decompressobj(-15)
    assert reference.decompress(stream + behind) == inflater.decompress(stream + behind) == b"abc"
    assert reference.unused_data == behind
    assert inflater.eof and inflater.unconsumed_tail == b""
    if inflater.unused_data != behind:
        assert inflater.unused_data == b""
        lost.append(count)
print(f"isal {os.environ['VERSION']} loses the bytes behind the stream if they are {lost}")
assert lost == ([1, 2, 3, 4, 5, 6] if os.environ["VERSION"] == "1.8.0" else [])
PYTHON
done
