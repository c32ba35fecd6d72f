import type { Schemas } from "../api/client";

type Signature = Schemas["Signature"];

/** A row as its fields hold it, in the signature's order; "" is missing. */
export type Row = string[];

export function emptyRow({ columns }: Signature): Row {
  return columns.map(({ kind, missing }) => (kind === "number" && !missing ? "0" : ""));
}

/** The body of /predict for rows: by column name where there are names, else as lists. */
export function bodyOf(signature: Signature, rows: Row[], output: string | null): unknown {
  const values = rows.map((row) => row.map((text, at) => valueOf(signature.columns[at]?.kind ?? "any", text)));
  const shown = signature.named
    ? values.map((row) => Object.fromEntries(row.map((value, at) => [signature.columns[at]?.name ?? at, value])))
    : values;
  const first = signature.outputs[0]?.name;
  return { rows: shown, ...(output === null || output === first ? {} : { outputs: [output] }) };
}

function valueOf(kind: string, text: string): string | number | null {
  if (text === "") return null;
  if (kind === "string") return text;
  const number = Number(text);
  return Number.isFinite(number) ? number : text;
}

/** The fields of the first row of a body, so that what was typed as JSON is not lost. */
export function rowOf(signature: Signature, body: unknown): Row | null {
  const rows = Array.isArray(body) ? body : (body as { rows?: unknown } | null)?.rows;
  const first: unknown = Array.isArray(rows) ? rows[0] : null;
  if (typeof first !== "object" || first === null) return null;
  const cell = (value: unknown) => (value === null || value === undefined ? "" : String(value));
  return signature.columns.map(({ name }, at) =>
    cell(Array.isArray(first) ? first[at] : (first as Record<string, unknown>)[name]),
  );
}

/** Rows that were typed, as JSON or as CSV, with or without names; null if they are neither. */
export function rowsTyped(text: string, signature: Signature | null): unknown[] | null {
  const told = text.trim();
  if (told === "") return null;
  if (told.startsWith("[") || told.startsWith("{")) {
    try {
      const found: unknown = JSON.parse(told);
      return Array.isArray(found) && found.length > 0 ? found : null;
    } catch {
      return null;
    }
  }
  if (signature === null) return null;
  const [first = [], ...others] = told.split(/\r?\n/).map(cellsOf);
  const names = signature.columns.map(({ name }) => name);
  const headed = first.every((cell) => names.includes(cell));
  const order = headed ? names.map((name) => first.indexOf(name)) : names.map((_, at) => at);
  const lines = headed ? others : [first, ...others];
  if (lines.length === 0 || lines.some(({ length }) => length !== names.length)) return null;
  const rows = lines.map((cells) => order.map((at) => cells[at] ?? ""));
  return (bodyOf(signature, rows, null) as { rows: unknown[] }).rows;
}

/** The cells of a line of CSV; quotes are written twice within quotes. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain = ""]) =>
    quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'),
  );
}
