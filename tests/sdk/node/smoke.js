// One pass over what a Node application does, from connecting to dropping. Usage: node smoke.js HOST:PORT
const assert = require('node:assert');
const { MilvusClient, DataType } = require('@zilliz/milvus2-sdk-node');

const DIM = 8;
const name = 'node_smoke_' + process.pid;

function vector(i) {
  return Array.from({ length: DIM }, (_, d) => Math.sin(i * (d + 1)));
}

function l2(a, b) {
  return a.reduce((sum, x, d) => sum + (x - b[d]) ** 2, 0);
}

function fine(reply, what) {
  const status = reply.status || reply;
  assert.ok(status.error_code === 'Success' && !status.code, `${what}: ${JSON.stringify(status)}`);
  return reply;
}

async function main() {
  const client = new MilvusClient({ address: process.argv[2] });
  await client.connectPromise;
  assert.match((await client.getVersion()).version, /\d+\.\d+/);
  assert.ok((await client.checkHealth()).isHealthy);

  fine(await client.createCollection({
    collection_name: name,
    consistency_level: 'Strong',
    fields: [
      { name: 'id', data_type: DataType.Int64, is_primary_key: true },
      { name: 'vector', data_type: DataType.FloatVector, dim: DIM },
      { name: 'text', data_type: DataType.VarChar, max_length: 64 },
      { name: 'doc', data_type: DataType.JSON },
    ],
    enable_dynamic_field: true,
    index_params: [{ field_name: 'vector', index_type: 'HNSW', metric_type: 'L2', params: { M: 8, efConstruction: 64 } }],
  }), 'createCollection');
  assert.equal((await client.hasCollection({ collection_name: name })).value, true);
  const about = fine(await client.describeCollection({ collection_name: name }), 'describeCollection');
  assert.deepEqual(about.schema.fields.map((f) => f.name), ['id', 'vector', 'text', 'doc']);
  fine(await client.loadCollectionSync({ collection_name: name }), 'load');

  const data = Array.from({ length: 100 }, (_, i) => ({ id: i, vector: vector(i), text: `t${i}`, doc: { n: i }, extra: i % 3 }));
  assert.equal(fine(await client.insert({ collection_name: name, data }), 'insert').insert_cnt, '100');
  fine(await client.flushSync({ collection_names: [name] }), 'flush');

  const found = fine(await client.search({ collection_name: name, data: [vector(5)], limit: 3, output_fields: ['id', 'text', 'extra'] }), 'search');
  const want = data.map((r) => [r.id, l2(r.vector, vector(5))]).sort((a, b) => a[1] - b[1]).slice(0, 3);
  const hits = Array.isArray(found.results[0]) ? found.results[0] : found.results;
  assert.deepEqual(hits.map((h) => Number(h.id)), want.map((w) => w[0]));
  assert.equal(hits[0].text, 't5');
  assert.equal(hits[0].extra, 2);

  const everything = fine(await client.search({ collection_name: name, data: [vector(5)], limit: 1, output_fields: ['*'] }), 'search *');
  const first = Array.isArray(everything.results[0]) ? everything.results[0][0] : everything.results[0];
  assert.equal(first.vector.length, DIM);

  const rows = fine(await client.query({ collection_name: name, filter: 'doc["n"] >= 97 and extra >= 0', output_fields: ['id', 'doc'] }), 'query');
  assert.deepEqual(rows.data.map((r) => Number(r.id)), [97, 98, 99]);
  assert.equal(fine(await client.get({ collection_name: name, ids: [3, 4], output_fields: ['text'] }), 'get').data.length, 2);
  assert.equal(Number(fine(await client.count({ collection_name: name }), 'count').data), 100);

  fine(await client.delete({ collection_name: name, filter: 'id in [0, 1]' }), 'delete');
  fine(await client.upsert({ collection_name: name, data: [{ ...data[2], text: 'new' }] }), 'upsert');
  assert.equal(Number((await client.count({ collection_name: name })).data), 98);
  assert.equal((await client.get({ collection_name: name, ids: [2], output_fields: ['text'] })).data[0].text, 'new');

  const missing = await client.describeCollection({ collection_name: 'no_such_collection' });
  assert.notEqual(missing.status.error_code, 'Success');

  fine(await client.releaseCollection({ collection_name: name }), 'release');
  fine(await client.dropCollection({ collection_name: name }), 'drop');
  assert.equal((await client.hasCollection({ collection_name: name })).value, false);
  await client.closeConnection();
  console.log('ok');
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
