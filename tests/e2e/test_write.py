"""insert, upsert, delete: counts, visibility, duplicates, and what each leaves behind."""
import pytest
from pymilvus import DataType, FieldOp
from pymilvus.exceptions import MilvusException

from e2e.schemas import DIM, make, simple_schema
from harness import reference

VECTORS = reference.vectors(400, DIM)


def rows(ids, **fields):
    return [{"id": i, "vector": VECTORS[i % len(VECTORS)].tolist(), **{k: (f(i) if callable(f) else f) for k, f in fields.items()}} for i in ids]


def count(client, name, text="", **more):
    return client.query(name, filter=text, output_fields=["count(*)"], **more)[0]["count(*)"]


def ids_of(client, name, text="id >= 0"):
    return [r["id"] for r in client.query(name, filter=text, output_fields=["id"])]


@pytest.fixture
def made(client, name):
    schema = simple_schema(dynamic=True)
    make(client, name, schema, consistency_level="Strong")
    return name


def flush_if(client, name, flushed):
    if flushed:
        client.flush(name)


both = pytest.mark.parametrize("flushed", [False, True], ids=["growing", "sealed"])


class TestInsert:
    def test_the_answer_counts_and_names_the_rows(self, client, made):
        answer = client.insert(made, rows(range(10)))
        assert answer["insert_count"] == 10 and list(answer["ids"]) == list(range(10))

    def test_one_row_may_come_without_a_list(self, client, made):
        assert client.insert(made, rows([3])[0])["insert_count"] == 1
        assert ids_of(client, made) == [3]

    def test_a_row_is_seen_by_the_next_strong_read(self, client, made):
        for i in range(20):
            client.insert(made, rows([i]))
            assert client.search(made, [VECTORS[i].tolist()], limit=1)[0][0]["id"] == i
            assert count(client, made) == i + 1

    @both
    @pytest.mark.not_lite("an insert replaces")
    def test_a_key_inserted_twice_is_counted_twice_and_read_once(self, client, made, flushed):
        client.insert(made, rows(range(5), v=1))
        flush_if(client, made, flushed)
        client.insert(made, rows([2], v=2))
        assert count(client, made) == 6
        got = client.query(made, filter="id >= 0", output_fields=["v"])
        assert [(r["id"], r["v"]) for r in got] == [(0, 1), (1, 1), (2, 2), (3, 1), (4, 1)], "the newest is read"
        hits = client.search(made, [VECTORS[2].tolist()], limit=10)[0]
        assert sorted(h["id"] for h in hits) == [0, 1, 2, 3, 4]
        client.delete(made, ids=[2])
        assert count(client, made) == 4 and ids_of(client, made) == [0, 1, 3, 4], "a delete removes both"

    def test_a_key_twice_in_one_insert_is_accepted(self, client, made):
        client.insert(made, rows([1, 1, 2]))
        assert ids_of(client, made) == [1, 2]

    @pytest.mark.not_lite("no key order")
    def test_many_rows_in_one_call(self, client, made):
        client.insert(made, rows(range(5000)))
        assert count(client, made) == 5000
        assert ids_of(client, made, "id in [0, 4999, 2500]") == [0, 2500, 4999]

    def test_keys_of_both_signs_and_the_bounds(self, client, made):
        keys = [-2**63, -5, 0, 7, 2**63 - 1]
        client.insert(made, [{"id": k, "vector": VECTORS[i].tolist()} for i, k in enumerate(keys)])
        got = [r["id"] for r in client.query(made, filter="id <= 7 or id > 7", output_fields=["id"])]
        assert got == keys
        assert [r["id"] for r in client.get(made, keys)] == keys


class TestUpsert:
    @pytest.mark.not_lite("merges dynamic fields")
    @both
    def test_it_replaces_the_row_whole(self, client, made, flushed):
        client.insert(made, rows(range(10), a=1, b=2))
        flush_if(client, made, flushed)
        answer = client.upsert(made, [{"id": 4, "vector": VECTORS[300].tolist(), "a": 9}])
        assert answer["upsert_count"] == 1
        assert count(client, made) == 10
        row = client.get(made, 4, output_fields=["*"])[0]
        assert row["a"] == 9 and "b" not in row
        assert list(row["vector"]) == pytest.approx(VECTORS[300].tolist(), abs=0)
        assert client.search(made, [VECTORS[300].tolist()], limit=1)[0][0]["id"] == 4
        assert client.search(made, [VECTORS[4].tolist()], limit=1)[0][0]["distance"] > 1e-3, "the old vector is gone"

    def test_a_new_key_is_inserted(self, client, made):
        client.insert(made, rows(range(3)))
        client.upsert(made, rows([2, 3, 4]))
        assert ids_of(client, made) == [0, 1, 2, 3, 4] and count(client, made) == 5

    @both
    def test_a_key_upserted_again_and_again_is_one_row(self, client, made, flushed):
        client.insert(made, rows([1], v=0))
        for n in range(1, 8):
            client.upsert(made, rows([1], v=n))
            flush_if(client, made, flushed and n % 3 == 0)
            assert client.get(made, 1, output_fields=["v"])[0]["v"] == n
            assert count(client, made) == 1

    @pytest.mark.not_lite("the last one wins")
    def test_a_key_twice_in_one_upsert_is_refused(self, client, made):
        with pytest.raises(MilvusException, match="duplicate primary keys are not allowed in the same batch"):
            client.upsert(made, rows([1, 2, 1]))
        assert count(client, made) == 0

    def test_a_deleted_key_comes_back_by_upsert_only(self, client, made):
        client.insert(made, rows([1, 2], v=1))
        client.delete(made, ids=[1])
        assert ids_of(client, made) == [2]
        client.upsert(made, rows([1], v=2))
        assert client.get(made, 1, output_fields=["v"])[0]["v"] == 2

    @pytest.mark.not_lite("needs server 2.6")
    @pytest.mark.not_lite("field_ops")
    def test_field_ops_work_on_the_old_arrays(self, client, name):
        schema = client.create_schema()
        schema.add_field("id", DataType.INT64, is_primary=True)
        schema.add_field("vector", DataType.FLOAT_VECTOR, dim=2)
        schema.add_field("tags", DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=4, max_length=10)
        params = client.prepare_index_params()
        params.add_index("vector", index_type="FLAT", metric_type="L2")
        client.create_collection(name, schema=schema, index_params=params, consistency_level="Strong")
        client.insert(name, [{"id": 1, "vector": [1.0, 2.0], "tags": ["a", "b", "a"]}, {"id": 2, "vector": [1.0, 2.0], "tags": []}])
        client.upsert(name, [{"id": 1, "tags": ["a"]}, {"id": 2, "tags": ["x"]}], field_ops={"tags": FieldOp.array_remove()})
        client.upsert(name, [{"id": 1, "tags": ["c", "d"]}], field_ops={"tags": FieldOp.array_append()})
        rows = client.query(name, filter="id > 0", output_fields=["tags", "vector"])
        assert [r["tags"] for r in rows] == [["b", "c", "d"], []]
        assert rows[0]["vector"] == [1.0, 2.0]
        with pytest.raises(MilvusException, match="array length 5 exceeds max_capacity 4"):
            client.upsert(name, [{"id": 1, "tags": ["e", "f"]}], field_ops={"tags": FieldOp.array_append()})
        with pytest.raises(MilvusException, match="cannot carry a partial-update op"):
            client.upsert(name, [{"id": 1, "tags": ["e"]}], field_ops={"id": FieldOp.array_append()})

    def test_a_partial_update_keeps_the_other_fields(self, client, name):
        schema = simple_schema()
        schema.add_field("a", DataType.INT64)
        schema.add_field("b", DataType.VARCHAR, max_length=16)
        make(client, name, schema, consistency_level="Strong")
        client.insert(name, [{"id": i, "vector": VECTORS[i].tolist(), "a": i, "b": f"b{i}"} for i in range(5)])
        client.upsert(name, [{"id": 3, "a": 33}], partial_update=True)
        row = client.get(name, 3)[0]
        assert (row["a"], row["b"]) == (33, "b3") and list(row["vector"]) == pytest.approx(VECTORS[3].tolist(), abs=0)


class TestDelete:
    @pytest.mark.not_lite("answers with the ids")
    @both
    def test_by_ids(self, client, made, flushed):
        client.insert(made, rows(range(20)))
        flush_if(client, made, flushed)
        assert client.delete(made, ids=[3, 7, 11])["delete_count"] == 3
        left = [i for i in range(20) if i not in (3, 7, 11)]
        assert ids_of(client, made) == left and count(client, made) == 17
        assert client.get(made, [3, 4]) == client.get(made, 4)
        hits = client.search(made, [VECTORS[3].tolist()], limit=20)
        reference.assert_exact(hits, reference.nearest("L2", VECTORS[3:4], VECTORS[:20], 20, rows=left))

    @both
    @pytest.mark.parametrize("text, keep", [
        ("id < 10", lambda i: i >= 10),
        ("v == 1", lambda i: i % 3 != 1),
        ("v == 1 and id > 8", lambda i: not (i % 3 == 1 and i > 8)),
        ("id in [1, 2, 3]", lambda i: i not in (1, 2, 3)),
    ])
    def test_by_filter(self, client, made, flushed, text, keep):
        client.insert(made, rows(range(30), v=lambda i: i % 3))
        flush_if(client, made, flushed)
        client.delete(made, filter=text)
        assert ids_of(client, made) == [i for i in range(30) if keep(i)]

    def test_a_key_that_is_not_there_is_no_error(self, client, made):
        client.insert(made, rows([1]))
        client.delete(made, ids=[99])
        assert ids_of(client, made) == [1]

    def test_twice_is_as_once(self, client, made):
        client.insert(made, rows([1, 2]))
        client.delete(made, ids=[1])
        client.delete(made, ids=[1])
        assert ids_of(client, made) == [2] and count(client, made) == 1

    def test_a_delete_does_not_hit_a_later_insert(self, client, made):
        client.insert(made, rows([1], v=1))
        client.delete(made, ids=[1])
        client.insert(made, rows([1], v=2))
        assert client.get(made, 1, output_fields=["v"])[0]["v"] == 2

    def test_of_string_keys(self, client, name):
        make(client, name, simple_schema(pk_type=DataType.VARCHAR, max_length=32), consistency_level="Strong")
        client.insert(name, [{"id": f"k{i}", "vector": VECTORS[i].tolist()} for i in range(10)])
        client.delete(name, ids=["k1", "k2"])
        client.delete(name, filter='id like "k9%"')
        assert [r["id"] for r in client.query(name, filter='id != ""', output_fields=["id"])] == ["k0", "k3", "k4", "k5", "k6", "k7", "k8"]

    @pytest.mark.not_lite("other texts")
    def test_an_empty_filter_is_refused(self, client, made):
        with pytest.raises((MilvusException, ValueError, TypeError)):
            client.delete(made, filter="")
        with pytest.raises(MilvusException, match="cannot parse expression: id ="):
            client.delete(made, filter="id =")

    def test_of_everything_and_then_new_rows(self, client, made):
        for turn in range(3):
            client.insert(made, rows(range(100), v=turn))
            client.flush(made)
            assert count(client, made) == 100
            client.delete(made, filter="id >= 0")
            assert count(client, made) == 0 and client.search(made, [VECTORS[0].tolist()], limit=5)[0] == []


class TestFlush:
    def test_rows_are_the_same_before_and_after(self, client, made):
        client.insert(made, rows(range(200), v=lambda i: i * 2))
        before = client.query(made, filter="id >= 0", output_fields=["*"])
        client.flush(made)
        assert client.query(made, filter="id >= 0", output_fields=["*"]) == before

    def test_a_flush_of_nothing_is_fine(self, client, made):
        client.flush(made)
        client.flush(made)
        assert count(client, made) == 0

    @pytest.mark.not_lite("no key order")
    def test_rows_in_several_sealed_segments_and_in_memory_are_one_collection(self, client, made):
        for part in range(4):
            client.insert(made, rows(range(part, 400, 4)))
            if part < 3:
                client.flush(made)
        assert ids_of(client, made) == list(range(400))
        reference.assert_exact(client.search(made, VECTORS[:4].tolist(), limit=30), reference.nearest("L2", VECTORS[:4], VECTORS, 30))
