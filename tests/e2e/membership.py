"""Sets as clients build them for bloom_match and roaring_match: a Bloom filter as Parquet defines it, a portable Roaring bitmap."""
import struct

MASK = 2**64 - 1
P1, P2, P3, P4, P5 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
SALTS = (0x47B6137B, 0x44974D91, 0x8824AD5B, 0xA2B7289D, 0x705495C7, 0x2DF1424B, 0x9EFC4947, 0x5C6BFB31)


def rotate(value: int, by: int) -> int:
    return (value << by | value >> (64 - by)) & MASK


def xxh64(data: bytes) -> int:
    """Of fewer than 32 bytes, with seed 0."""
    assert len(data) < 32
    value = P5 + len(data)
    at = 0
    while at + 8 <= len(data):
        lane = rotate(int.from_bytes(data[at:at + 8], "little") * P2 & MASK, 31) * P1 & MASK
        value = (rotate(value ^ lane, 27) * P1 + P4) & MASK
        at += 8
    if at + 4 <= len(data):
        value = (rotate(value ^ int.from_bytes(data[at:at + 4], "little") * P1 & MASK, 23) * P2 + P3) & MASK
        at += 4
    for byte in data[at:]:
        value = rotate(value ^ byte * P5 & MASK, 11) * P1 & MASK
    value = (value ^ value >> 33) * P2 & MASK
    value = (value ^ value >> 29) * P3 & MASK
    return value ^ value >> 32


def bloom(values, blocks: int = 1024) -> bytes:
    words = [0] * (blocks * 8)
    domains = 0
    for value in values:
        is_text = isinstance(value, str)
        domains |= 2 if is_text else 1
        key = xxh64(value.encode() if is_text else struct.pack("<q", value))
        block = (key >> 32) * blocks >> 32
        for i, salt in enumerate(SALTS):
            words[block * 8 + i] |= 1 << (((key & 0xFFFFFFFF) * salt & 0xFFFFFFFF) >> 27)
    head = b"MBF1" + struct.pack("<HHQdIB3x", 1, 1, len(values), 0.005, blocks, domains)
    return head + struct.pack(f"<{len(words)}I", *words)


def roaring(values) -> bytes:
    keys = sorted({value & MASK for value in values})
    highs: dict = {}
    for key in keys:
        highs.setdefault(key >> 32, {}).setdefault(key >> 16 & 0xFFFF, []).append(key & 0xFFFF)
    body = struct.pack("<Q", len(highs))
    for high, containers in highs.items():
        body += struct.pack("<III", high, 12346, len(containers))
        body += b"".join(struct.pack("<HH", key, len(lows) - 1) for key, lows in containers.items())
        at = 8 + 8 * len(containers)
        data = b""
        for lows in containers.values():
            body += struct.pack("<I", at + len(data))
            if len(lows) > 4096:
                bits = bytearray(8192)
                for low in lows:
                    bits[low // 8] |= 1 << low % 8
                data += bytes(bits)
            else:
                data += struct.pack(f"<{len(lows)}H", *lows)
        body += data
    return b"MRB1" + struct.pack("<HHQQQ", 1, 1, len(keys), len(body), 0) + body
