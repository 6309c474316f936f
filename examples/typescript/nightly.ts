// The nightly job of a partner: load, follow, report, alert.
//
//     PILOT_EXCHANGE_URL            where the registry is, such as https://exchange.example.org
//     PILOT_EXCHANGE_CLIENT_ID      the account
//     PILOT_EXCHANGE_CLIENT_SECRET  its secret
//     PILOT_EXCHANGE_STORE          the file that is kept; pilot-exchange.ndjson if absent
//
// Ends with 0 if all is well, 3 if something is overdue or a target is missed, 1 if it failed. It may be stopped at
// any moment and run again: cursor and records are one file, which is replaced as a whole.

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readFile, rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import createClient from "openapi-fetch";
import type { components, paths } from "./registry.js";

type Collection = components["schemas"]["RecordType"];
type Row = { id: string; version: number };

const collections: Collection[] = [
  "cities", "organisations", "programmes", "documents", "terms", "pilots", "needs", "applicability",
  "partnerships", "initiatives", "activities", "agreements", "hostings", "compliance", "indicators",
  "outcomes", "observations", "evaluations",
];

function setting(name: string, fallback?: string): string {
  const value = process.env[`PILOT_EXCHANGE_${name}`] ?? fallback;
  if (value === undefined) throw new Error(`PILOT_EXCHANGE_${name} is not set`);
  return value;
}

// --- The registry: log in when it has to be, wait when told to ---------------------------------------------------

async function patient(request: Request): Promise<Response> {
  for (let tries = 1; ; tries++) {
    const answer = await fetch(request.clone());
    if (![429, 503].includes(answer.status) || tries === 10) return answer;
    await sleep(1000 * Number(answer.headers.get("Retry-After") ?? 5));
  }
}

const registry = createClient<paths>({ baseUrl: setting("URL"), fetch: patient });

let token = "";
let renewAt = 0;

async function logIn(): Promise<void> {
  const { data, error } = await registry.POST("/oauth/token", {
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: {
      grant_type: "client_credentials",
      client_id: setting("CLIENT_ID"),
      client_secret: setting("CLIENT_SECRET"),
    },
  });
  if (!data) throw new Error(`no token: ${JSON.stringify(error)}`);
  token = data.access_token;
  renewAt = Date.now() + (data.expires_in / 2) * 1000;
}

registry.use({
  async onRequest({ request, schemaPath }) {
    if (schemaPath === "/oauth/token") return;
    if (Date.now() > renewAt) await logIn();
    request.headers.set("Authorization", `Bearer ${token}`);
  },
});

// --- The store: a line with the cursor, then a line for each record ----------------------------------------------

class Store {
  cursor = "";
  records = new Map<string, { collection: Collection; body: Row }>();

  constructor(private readonly file: string) {}

  async read(): Promise<void> {
    if (!existsSync(this.file)) return;
    const [first, ...lines] = (await readFile(this.file, "utf8")).trimEnd().split("\n");
    this.cursor = JSON.parse(first!).cursor;
    for (const line of lines) {
      const { collection, body } = JSON.parse(line);
      this.put(collection, body);
    }
  }

  /** Replaces the file at once, so that it always holds the records up to its cursor. */
  async write(): Promise<void> {
    const lines = [{ cursor: this.cursor }, ...this.records.values()].map((line) => JSON.stringify(line) + "\n");
    const file = await open(`${this.file}.new`, "w");
    await file.writeFile(lines.join(""));
    await file.sync();
    await file.close();
    await rename(`${this.file}.new`, this.file);
  }

  /**
   * Keeps a record, unless a newer version is there. Computed members (`latest` and `progress` of an outcome,
   * `gate_broken` of a hosting) are as of now: no change tells of them. The reports have those of today.
   */
  put(collection: Collection, body: Row): void {
    const known = this.records.get(`${collection}/${body.id}`);
    if (!known || body.version >= known.body.version) {
      this.records.set(`${collection}/${body.id}`, { collection, body });
    }
  }

  remove(collection: Collection, id: string, version: number): void {
    const known = this.records.get(`${collection}/${id}`);
    if (known && known.body.version <= version) this.records.delete(`${collection}/${id}`);
  }
}

// --- Load, follow ------------------------------------------------------------------------------------------------

async function load(store: Store): Promise<void> {
  store.records.clear();
  store.cursor = "";
  for (const collection of collections) {
    const { data, error, response } = await registry.GET(`/v1/exports/${collection}.{format}`, {
      params: { path: { format: "ndjson" } },
      parseAs: "text",
    });
    if (response.status === 403) {
      // Compliance is for the cities involved and verifiers only.
      console.log("not for this account:", collection);
      continue;
    }
    if (data === undefined) throw new Error(JSON.stringify(error));
    // The last line says how much there was; without it the file was cut off.
    const start = data.lastIndexOf("\n", data.length - 2) + 1;
    const end = JSON.parse(data.slice(start))._end;
    if (createHash("sha256").update(data.slice(0, start)).digest("hex") !== end.sha256) {
      throw new Error(`the export of ${collection} is damaged`);
    }
    for (const line of data.slice(0, start).split("\n")) if (line) store.put(collection, JSON.parse(line));
    // Each export is a snapshot of its own. Following from the first one misses nothing.
    store.cursor ||= end.change_cursor;
  }
  await store.write();
  console.log("loaded", store.records.size, "records");
}

async function follow(store: Store): Promise<void> {
  if (!store.cursor) await load(store);
  for (let count = 0; ; ) {
    const { data, error, response } = await registry.GET("/v1/changes", {
      params: { query: { cursor: store.cursor, types: collections, include: "record", limit: 500 } },
    });
    if (response.status === 410) {
      // After a restore, or when the account may see more than before.
      console.log("told to load anew:", error?.detail);
      await load(store);
      continue;
    }
    if (!data) throw new Error(JSON.stringify(error));
    for (const change of data.items) {
      if (change.record) store.put(change.type, change.record as Row);
      else store.remove(change.type, change.id, change.version);
    }
    store.cursor = data.next;
    count += data.items.length;
    if (data.has_more) continue;
    await store.write();
    console.log("followed", count, "changes");
    return;
  }
}

// --- Report, alert -----------------------------------------------------------------------------------------------

/** Whether a date that may be known to the year or month only (2030, 2030-06) has passed. */
function isPast(day: string | null | undefined): boolean {
  return day != null && new Date().toISOString().slice(0, day.length) > day;
}

/** The rows of a report. Its type is `string | {items}`, since reports can be asked for as csv, too. */
function rows<Row>(answer: { data?: string | { items: Row[] }; error?: unknown }): Row[] {
  if (!answer.data || typeof answer.data === "string") throw new Error(JSON.stringify(answer.error));
  return answer.data.items;
}

async function alerts(): Promise<string[]> {
  const overdue = rows(await registry.GET("/v1/reports/overdue"));
  const progress = rows(await registry.GET("/v1/reports/progress"));
  console.log("report overdue has", overdue.length, "rows");
  console.log("report progress has", progress.length, "rows");
  return [
    ...overdue.map((row) => `overdue: ${row.kind} of ${row.title}, due ${row.due_on}`),
    ...progress
      .filter((row) => isPast(row.target_due_on) && row.progress_status !== "achieved")
      .map((row) => `target missed: ${row.indicator} in ${row.subject}: ${row.actual}, not ${row.target}`),
  ];
}

const store = new Store(setting("STORE", "pilot-exchange.ndjson"));
await store.read();
await follow(store);
const found = await alerts();
for (const alert of found) console.log("ALERT", alert);
process.exitCode = found.length > 0 ? 3 : 0;
