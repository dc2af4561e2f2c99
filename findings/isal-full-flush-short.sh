#!/usr/bin/env bash
# isal 1.9.1 (ISA-L): a full flush finds no repeats in fewer than 289 bytes.
#
# After compress() of at most 288 bytes, flush(Z_FULL_FLUSH) gives literals only: 288 bytes of
# "abcdefghij" over and over become 147. With one byte more they become 20, as they do at any length
# with flush(Z_SYNC_FLUSH), and as zlib makes 22 of them with either flush. So a compressor that
# is kept, and made independent of its past by full flushes, makes short messages larger than a new
# compressor with a sync flush does for each of them.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check isal==1.9.1
"$folder/venv/bin/python" - <<'PYTHON'
import zlib

from isal import isal_zlib


def size(module, flush, text):
    compressor = module.compressobj(2, zlib.DEFLATED, -15)
    return len(compressor.compress(text) + compressor.flush(flush))


repeats = b"abcdefghij" * 40
expected = {288: (20, 147), 289: (20, 20), 400: (20, 20)}
for count, sizes in expected.items():
    text = repeats[:count]
    found = tuple(size(isal_zlib, how, text) for how in (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH))
    print(f"{count} bytes: {found[0]} by a sync flush, {found[1]} by a full flush")
    assert found == sizes, f"it was {sizes}"
    for how in (zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH):
        assert size(zlib, how, text) == 22, "zlib finds the repeats with either"
PYTHON
