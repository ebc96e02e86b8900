import postgres from "postgres";
import { become, type Call, LIMIT, type Subject } from "./calls.ts";

/** What a call touched of our tables, every statement within its functions counted. */
export interface Touched {
  /** Rows that were looked at, those that a filter threw away included. */
  readonly rows: number;
  /** Tables that were read from their beginning, and that are longer than what was asked for: an empty one is no harm. */
  readonly whole: readonly string[];
  /** Statements that were executed within it. */
  readonly statements: number;
}

interface Plan {
  readonly "Query Text": string;
  readonly Plan: Node;
}

interface Node {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly Node[];
}

/** A connection of a superuser on which every statement tells its plan, those within functions too. */
export interface Explaining {
  readonly sql: postgres.Sql;
  /** What has been told since the last look. */
  take(): string[];
}

export async function explaining(url: string): Promise<Explaining> {
  const told: string[] = [];
  const sql = postgres(url, { max: 1, onnotice: ({ message = "" }) => void told.push(message) });
  await sql.unsafe(`
    load 'auto_explain';
    set auto_explain.log_min_duration = 0;
    set auto_explain.log_nested_statements = on;
    set auto_explain.log_analyze = on;
    set auto_explain.log_timing = off;
    set auto_explain.log_format = 'json';
    set auto_explain.log_level = 'notice';
  `).simple();
  return { sql, take: () => told.splice(0) };
}

/** Asks, looks at the plans, and leaves everything as it was. */
export async function touchedBy({ sql, take }: Explaining, call: Call, subject: Subject): Promise<Touched> {
  await sql`begin`;
  try {
    await become(sql, call, subject);
    take();
    await sql.unsafe(call.statement(subject));
    const told = take().flatMap((message) => /plan:\s*(\{[\s\S]*\})/.exec(message)?.[1] ?? []);
    // PostgreSQL tells of the statement before only once it closes its portal, which is now.
    const plans = told.map((plan): Plan => JSON.parse(plan))
      .filter((plan) => !plan["Query Text"].includes("request.jwt.claims"));
    if (plans.length === 0) throw new Error(`no plan was told of ${call.name}`);
    const nodes = plans.flatMap((plan) => nodesOf(plan.Plan));
    const scans = nodes.filter((node) =>
      node["Relation Name"] !== undefined && /Scan$/.test(node["Node Type"])
    );
    const long = scans.filter((node) => node["Node Type"] === "Seq Scan" && rowsOf(node) > LIMIT);
    const whole = new Set(long.map((node) => node["Relation Name"] ?? ""));
    return {
      rows: scans.reduce((total, node) => total + rowsOf(node), 0),
      whole: [...whole].sort(),
      // All but the one that asks.
      statements: plans.length - 1,
    };
  } finally {
    await sql`rollback`;
  }
}

function nodesOf(node: Node): Node[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

function rowsOf(node: Node): number {
  const each = node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) +
    (node["Rows Removed by Index Recheck"] ?? 0);
  return Math.round(each * node["Actual Loops"]);
}
