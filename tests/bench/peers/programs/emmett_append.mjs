// Emmett's PostgreSQL event store: appendToStream with STREAM_DOES_NOT_EXIST, a pool of connections.
//
// usage: emmett_append.mjs DSN EVENT CALLERS SECONDS CONNECTIONS
//
// The schema is made beforehand and autoMigration is off, as its documentation advises for production.
import { randomUUID } from "node:crypto";
import { called, load, say } from "./calling.mjs";

const { STREAM_DOES_NOT_EXIST } = load("@event-driven-io/emmett");
const { getPostgreSQLEventStore } = load("@event-driven-io/emmett-postgresql");
const pg = load("pg");

const [dsn, event, callers, seconds, connections] = process.argv.slice(2);
const pool = new pg.Pool({ connectionString: dsn, max: Number(connections) });
const migrating = getPostgreSQLEventStore(dsn, { connectionOptions: { pool } });
await migrating.schema.migrate();
const store = getPostgreSQLEventStore(dsn, {
  schema: { autoMigration: "None" },
  connectionOptions: { pool },
});
const data = JSON.parse(event);
const append = () =>
  store.appendToStream(`unit-${randomUUID()}`, [{ type: "UnitHandedOver", data }], {
    expectedStreamVersion: STREAM_DOES_NOT_EXIST,
  });
say(await called(Number(callers), Number(seconds), append));
process.exit(0);
