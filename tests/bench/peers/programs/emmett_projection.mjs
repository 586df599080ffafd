// Emmett's PostgreSQL consumer with a projector: stored events to a committed read model.
//
// usage: emmett_projection.mjs DSN SECONDS BATCH
//
// The consumer reads BATCH events at a time without a pause between (pulling.batchSize,
// pulling.pullingFrequencyInMs) and commits them as one transaction; its projector is given one
// event after the other and keeps its checkpoint after each, whatever the projection's kind. So the
// generic projection with a prepared statement on the transaction's client is the fastest there is.
import { randomUUID } from "node:crypto";
import { WARM_UP, committedRate, load, say } from "./calling.mjs";

const { getPostgreSQLEventStore, postgreSQLProjection } = load(
  "@event-driven-io/emmett-postgresql",
);
const pg = load("pg");

const UNITS = 20_000;
const PAGE = 1_000;
// Events a second that nobody reaches: so many are stored ahead.
const FASTEST = 8_000;
const PROCESSOR = "holders";
const TYPE = "UnitHandedOver";

const HOLDER = `CREATE TABLE IF NOT EXISTS holder
  (unit text PRIMARY KEY, holder text, place text, hand_overs bigint)`;
const HAND_OVER = `INSERT INTO holder VALUES ($1, $2, $3, 1) ON CONFLICT (unit) DO UPDATE SET
  holder = excluded.holder, place = excluded.place, hand_overs = holder.hand_overs + 1`;
const CHECKPOINT = `SELECT last_processed_checkpoint AS at FROM emt_processors
  WHERE processor_id = $1`;
const LAST = "SELECT max(global_position) AS at FROM emt_messages";
// The store's own append, many calls in one transaction.
const APPEND = `SELECT count(a.success) FROM unnest($1::int[], $2::text[], $3::jsonb[], $4::text[])
    WITH ORDINALITY AS event(version, unit, data, id, number),
  LATERAL emt_append_to_stream(ARRAY[id], ARRAY[data], ARRAY['{}'::jsonb], ARRAY['1'],
    ARRAY['${TYPE}'], ARRAY['E'], 'unit-' || unit, 'unit', version, 'emt:default') AS a`;

const [dsn, seconds, batch] = process.argv.slice(2);
const client = new pg.Client({ connectionString: dsn });
await client.connect();
const at = async (query, ...values) => Number((await client.query(query, values)).rows[0]?.at ?? 0);
const position = () => at(CHECKPOINT, PROCESSOR);

const padded = (number, digits) => String(number).padStart(digits, "0");

/** The model's event of that number, counted from 0. */
const handOver = (number) => ({
  unit: `BOX-${padded(number % UNITS, 5)}`,
  holder: `PPS-31.71.01.${1001 + (number % 6)}`,
  place: `GUDANG-31.71-${padded(number % 50, 2)}`,
  seal: `3171011001A${padded(number % 1000, 3)}`,
  note: "x".repeat(200),
  round: Math.floor(number / UNITS),
});

/** Stores events until `ahead` of them are still to be projected; the last one's position. */
async function stored(ahead) {
  const head = await at(LAST);
  const until = (await position()) + ahead;
  for (let first = head; first < until; first += PAGE) {
    const size = Math.min(PAGE, until - first);
    const page = Array.from({ length: size }, (_, i) => handOver(first + i));
    await client.query(APPEND, [
      page.map((event) => event.round),
      page.map((event) => event.unit),
      page.map((event) => JSON.stringify(event)),
      page.map(() => randomUUID()),
    ]);
  }
  return Math.max(head, until);
}

const holders = postgreSQLProjection({
  name: "holders",
  canHandle: [TYPE],
  handle: async (events, context) => {
    for (const { data } of events)
      await context.connection.client.query({
        name: "hand-over",
        text: HAND_OVER,
        values: [data.unit, data.holder, data.place],
      });
  },
});

const store = getPostgreSQLEventStore(dsn);
await store.schema.migrate();
await client.query(HOLDER);
const head = await stored(Math.floor(FASTEST * (Number(seconds) + WARM_UP)));
const consumer = store.consumer({
  pulling: { batchSize: Number(batch), pullingFrequencyInMs: 0 },
});
consumer.projector({ processorId: PROCESSOR, projection: holders });
const running = consumer.start();
const rate = await committedRate(position, head, Number(seconds));
await consumer.stop();
await running;
say({ rate });
process.exit(0);
