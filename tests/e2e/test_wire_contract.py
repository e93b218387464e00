"""The wire contract in api/proto holds all of pymilvus' own: every message, field, enum value and RPC.

Needs no server. protoc compiles our text to a descriptor set; pymilvus' generated modules carry theirs.
Ours may be newer than the client, so it may have more; nothing the client knows may be missing or differ.
"""

import pathlib
import subprocess

import pytest
from google.protobuf import descriptor_pb2

PROTO_DIR = pathlib.Path(__file__).resolve().parents[2] / "api" / "proto"
FILES = ("common", "schema", "rg", "feder", "msg", "milvus")


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    out = tmp_path_factory.mktemp("wire") / "contract.pb"
    sources = sorted(str(p.name) for p in PROTO_DIR.glob("*.proto") if p.stem in FILES)
    subprocess.run(
        ["protoc", f"-I{PROTO_DIR}", f"--descriptor_set_out={out}", *sources], check=True
    )
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return {file.name: file for file in descriptors.file}


@pytest.fixture(scope="session")
def theirs():
    grpc_gen = pytest.importorskip("pymilvus.grpc_gen")
    files = {}
    for name in FILES:
        module = __import__(f"{grpc_gen.__name__}.{name}_pb2", fromlist=["DESCRIPTOR"])
        files[f"{name}.proto"] = descriptor_pb2.FileDescriptorProto.FromString(
            module.DESCRIPTOR.serialized_pb
        )
    return files


def enums_of(scope, prefix):
    return {
        f"{prefix}.{enum.name}": {value.name: value.number for value in enum.value}
        for enum in scope.enum_type
    }


def field_of(message, field):
    oneof = message.oneof_decl[field.oneof_index].name if field.HasField("oneof_index") else ""
    return (
        field.name,
        field.label,
        field.type,
        field.type_name,
        oneof,
        field.proto3_optional,
    )


def messages_of(messages, prefix):
    """All messages, nested ones and map entries too: name -> (fields by number, option bytes)."""
    fields, enums = {}, {}
    for message in messages:
        name = f"{prefix}.{message.name}"
        by_number = {field.number: field_of(message, field) for field in message.field}
        fields[name] = (by_number, message.options.SerializeToString(deterministic=True))
        enums.update(enums_of(message, name))
        inner_fields, inner_enums = messages_of(message.nested_type, name)
        fields.update(inner_fields)
        enums.update(inner_enums)
    return fields, enums


def services_of(file):
    return {
        f"{service.name}.{rpc.name}": (
            rpc.input_type,
            rpc.output_type,
            rpc.client_streaming,
            rpc.server_streaming,
        )
        for service in file.service
        for rpc in service.method
    }


def extensions_of(file):
    return {(e.name, e.extendee, e.number, e.type_name) for e in file.extension}


def more_in_ours(ours, theirs, what):
    """Asserts that `ours` has every entry of `theirs`, equal."""
    for key, wanted in theirs.items():
        assert key in ours, f"{what} {key} is missing"
        assert ours[key] == wanted, f"{what} {key} differs"


# These three ask for another privilege in servers newer than the client.
NEWER_PRIVILEGES = {
    "milvus.proto.milvus.CreateRowPolicyRequest",
    "milvus.proto.milvus.DropRowPolicyRequest",
    "milvus.proto.milvus.ListRowPoliciesRequest",
}


@pytest.mark.parametrize("name", [f"{name}.proto" for name in FILES])
def test_messages_and_enums_are_those_of_pymilvus(ours, theirs, name):
    our_file, their_file = ours[name], theirs[name]
    assert our_file.package == their_file.package
    our_messages, our_enums = messages_of(our_file.message_type, our_file.package)
    their_messages, their_enums = messages_of(their_file.message_type, their_file.package)
    for message, (fields, options) in their_messages.items():
        assert message in our_messages
        our_fields, our_options = our_messages[message]
        more_in_ours(our_fields, fields, f"{message} field")
        if message not in NEWER_PRIVILEGES:
            assert our_options == options, f"{message} has another privilege"
    our_enums.update(enums_of(our_file, our_file.package))
    their_enums.update(enums_of(their_file, their_file.package))
    for enum, values in their_enums.items():
        assert enum in our_enums
        more_in_ours(our_enums[enum], values, f"{enum} value")
    assert extensions_of(our_file) == extensions_of(their_file)


def test_services_are_those_of_pymilvus(ours, theirs):
    more_in_ours(services_of(ours["milvus.proto"]), services_of(theirs["milvus.proto"]), "rpc")
    assert len(services_of(ours["milvus.proto"])) == 154  # Tokenizer.Tokenize is the 155th
