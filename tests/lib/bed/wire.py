"""A tiny protobuf codec, written by hand so that tests do not depend on our generated code.

Messages are lists of (field number, value): int -> varint, bytes/str -> length-delimited,
list -> nested message, dict -> map<string, string>.  decode() gives {number: [values]}
with ints and bytes; nested messages are decoded by calling it again on the bytes.
"""


def varint(value):
    value &= (1 << 64) - 1  # negative int32 and int64 travel as ten bytes
    out = bytearray()
    while True:
        byte = value & 0x7F
        value >>= 7
        if not value:
            out.append(byte)
            return bytes(out)
        out.append(byte | 0x80)


def encode(fields):
    out = bytearray()
    for number, value in fields:
        if isinstance(value, dict):
            for key, item in value.items():
                entry = encode([(1, key), (2, item)])
                out += varint(number << 3 | 2) + varint(len(entry)) + entry
        elif isinstance(value, (int, bool)):
            out += varint(number << 3) + varint(int(value))
        else:
            if isinstance(value, list):
                value = encode(value)
            elif isinstance(value, str):
                value = value.encode()
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return bytes(out)


def _read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def decode(data):
    fields, at = {}, 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _read_varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = int.from_bytes(data[at:at + size], "little"), at + size
        elif kind == 2:
            size, at = _read_varint(data, at)
            if at + size > len(data):
                raise ValueError("truncated field")
            value, at = bytes(data[at:at + size]), at + size
        else:
            raise ValueError(f"wire type {kind}")
        fields.setdefault(number, []).append(value)
    return fields


def first(fields, number, default=None):
    return fields.get(number, [default])[0]


def text(fields, number, default=""):
    value = first(fields, number)
    return default if value is None else value.decode()


def signed(value):
    """A varint read as int64."""
    return value - (1 << 64) if value >> 63 else value
