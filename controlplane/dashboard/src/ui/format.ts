/** Numbers and times as people read them. */

const SIZES = ["B", "kB", "MB", "GB", "TB"];

export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return "–";
  let left = count;
  let unit = 0;
  while (left >= 1000 && unit < SIZES.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? left : left.toPrecision(3)} ${SIZES[unit]}`;
}

export function ms(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value > 0 && value < 0.1) return `${Number((value * 1000).toPrecision(2))} µs`;
  if (value >= 10_000) return `${(value / 1000).toFixed(1)} s`;
  if (value >= 1000) return `${(value / 1000).toFixed(2)} s`;
  return `${value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)} ms`;
}

export function seconds(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : ms(value * 1000);
}

/** Seconds that may be hours. */
export function lasting(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value < 120) return `${digits(value)} s`;
  return value < 7200 ? `${digits(value / 60)} min` : `${digits(value / 3600)} h`;
}

const WHOLE = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value >= 100_000 ? SHORT.format(value) : WHOLE.format(value);
}

/** A number that may have a fraction, in three digits. */
export function digits(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1000) return count(value);
  return String(Number(value.toPrecision(3)));
}

export function percent(share: number | null | undefined, places = 1): string {
  return share === null || share === undefined ? "–" : `${(share * 100).toFixed(places)} %`;
}

const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const STEPS: [number, Intl.RelativeTimeFormatUnit][] = [
  [60, "second"],
  [60, "minute"],
  [24, "hour"],
  [30, "day"],
  [12, "month"],
  [Number.POSITIVE_INFINITY, "year"],
];

export function ago(at: string, now: number = Date.now()): string {
  let left = (Date.parse(at) - now) / 1000;
  if (Math.abs(left) < 5) return "now";
  for (const [size, unit] of STEPS) {
    if (Math.abs(left) < size) return RELATIVE.format(Math.round(left), unit);
    left /= size;
  }
  return at;
}

const EXACT = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "medium" });

export function exact(at: string): string {
  return EXACT.format(new Date(at));
}

const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hour12: false });
const CLOCK_S = new Intl.DateTimeFormat("en", { timeStyle: "medium", hour12: false });
const DAY = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });

/** A time on an axis that spans so many milliseconds. */
export function onAxis(at: number, span: number): string {
  const date = new Date(at);
  if (span > 36 * 3_600_000) return DAY.format(date);
  return span < 300_000 ? CLOCK_S.format(date) : CLOCK.format(date);
}

export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
