import { useEffect, useId, useRef, useState, type PointerEvent } from "react";
import { digits, onAxis } from "./format";

/** Values over time (or over another number): `values` has a list for each name, null: not known. */
export interface Series {
  /** ISO times, or numbers where `x` says how they are written. */
  at: (string | number)[];
  values: Record<string, (number | null)[]>;
}

export interface ChartProps {
  title: string;
  series: Series;
  kind?: "line" | "area" | "bars";
  /** How a value is written, with its unit. */
  format?: (value: number) => string;
  /** How a place on the axis is written, if it is no time. */
  x?: (at: number) => string;
  /** Lines that are not to be crossed, such as an objective. */
  limits?: { label: string; value: number }[];
  height?: number;
  /** Names as people read them. */
  names?: Record<string, string>;
}

const COLOURS = ["var(--series-1)", "var(--series-2)", "var(--series-3)", "var(--series-4)"];
const DASHES = ["", "6 3", "2 3", "8 3 2 3"]; // so that no line is told by its colour alone
const APART = 56; // pixels between two times of the axis, or they overlap
const LEFT = 52;
const BOTTOM = 22;
const TOP = 8;
const RIGHT = 8;

export function Chart(props: ChartProps) {
  const { title, series, format = digits, names = {} } = props;
  const kept = Object.entries(series.values);
  const places = series.at.map((at) => (typeof at === "string" ? Date.parse(at) : at));
  const empty = places.length === 0 || kept.every(([, list]) => list.every((one) => one === null));
  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className="font-medium">{title}</span>
        {kept.length > 1 && (
          <span className="flex flex-wrap gap-x-3 text-xs text-soft">
            {kept.map(([name], at) => (
              <span key={name} className="inline-flex items-center gap-1">
                <svg width="16" height="6" aria-hidden="true">
                  <line
                    x1="0" y1="3" x2="16" y2="3" strokeWidth="2"
                    stroke={COLOURS[at % 4]} strokeDasharray={DASHES[at % 4]}
                  />
                </svg>
                {names[name] ?? name}
              </span>
            ))}
          </span>
        )}
      </figcaption>
      {empty ? (
        <p className="flex h-24 items-center justify-center rounded-md bg-sunk text-soft">No data yet</p>
      ) : (
        <>
          <Drawing {...props} places={places} kept={kept} format={format} />
          <AsTable {...props} places={places} kept={kept} format={format} />
        </>
      )}
    </figure>
  );
}

type Drawn = ChartProps & {
  places: number[];
  kept: [string, (number | null)[]][];
  format: (value: number) => string;
};

function Drawing({ title, kind = "line", x, limits = [], height = 150, places, kept, format, names = {} }: Drawn) {
  const box = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  const [under, setUnder] = useState<number | null>(null);
  const clip = useId();
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.max(200, entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const known = kept.flatMap(([, list]) => list.filter((one) => one !== null));
  const top = nice(Math.max(...known, ...limits.map((one) => one.value), 0) || 1);
  const first = places[0] ?? 0;
  const last = places[places.length - 1] ?? first;
  const span = Math.max(last - first, 1);
  const band = (width - LEFT - RIGHT) / Math.max(places.length, 1);
  const px = (at: number) =>
    kind === "bars"
      ? LEFT + band * (places.indexOf(at) + 0.5)
      : LEFT + ((at - first) / span) * (width - LEFT - RIGHT);
  const py = (value: number) => TOP + (1 - value / top) * (height - TOP - BOTTOM);
  const writeX = x ?? ((at: number) => onAxis(at, span));
  const ticks = [0, top / 2, top];
  const marks = spread(places, Math.max(2, Math.floor(width / 110))).reduce<number[]>((kept, at) => {
    const before = kept[kept.length - 1];
    return before !== undefined && px(at) - px(before) < APART ? kept : [...kept, at];
  }, []);
  const look = (event: PointerEvent<SVGSVGElement>) => {
    const left = event.clientX - event.currentTarget.getBoundingClientRect().left;
    let nearest = 0;
    places.forEach((at, index) => {
      if (Math.abs(px(at) - left) < Math.abs(px(places[nearest] ?? 0) - left)) nearest = index;
    });
    setUnder(nearest);
  };
  const pointed = under === null ? undefined : places[under];
  const latest = kept
    .map(([name, list]) => {
      const value = list.findLast((one) => one !== null);
      return `${names[name] ?? name} ${value === undefined || value === null ? "unknown" : format(value)}`;
    })
    .join(", ");
  return (
    <div ref={box} className="relative min-w-0">
      <svg
        role="img"
        aria-label={`${title}. Latest: ${latest}. The table below has all values.`}
        width={width}
        height={height}
        className="block max-w-full"
        onPointerMove={look}
        onPointerLeave={() => setUnder(null)}
      >
        <clipPath id={clip}>
          <rect x={LEFT} y={0} width={Math.max(width - LEFT, 0)} height={height} />
        </clipPath>
        {ticks.map((tick) => (
          <g key={tick}>
            <line x1={LEFT} x2={width - RIGHT} y1={py(tick)} y2={py(tick)} stroke="var(--line)" />
            <text x={LEFT - 6} y={py(tick) + 4} textAnchor="end" fontSize="11" fill="var(--soft)">
              {format(tick)}
            </text>
          </g>
        ))}
        {marks.map((at, index) => (
          <text
            key={at}
            x={px(at)}
            y={height - 6}
            fontSize="11"
            fill="var(--soft)"
            textAnchor={index === 0 ? "start" : index === marks.length - 1 ? "end" : "middle"}
          >
            {writeX(at)}
          </text>
        ))}
        <g clipPath={`url(#${clip})`}>
          {limits.map((one) => (
            <line
              key={one.label}
              x1={LEFT} x2={width - RIGHT} y1={py(one.value)} y2={py(one.value)}
              stroke="var(--bad)" strokeDasharray="4 4"
            />
          ))}
          {kept.map(([name, list], at) => {
            const colour = COLOURS[at % 4];
            if (kind === "bars") {
              const wide = Math.max(2, Math.min(40, (band * 0.8) / kept.length));
              return list.map((value, index) =>
                value === null ? null : (
                  <rect
                    key={`${name}-${index}`}
                    x={px(places[index] ?? 0) - (wide * kept.length) / 2 + wide * at}
                    y={py(value)}
                    width={wide}
                    height={Math.max(0, py(0) - py(value))}
                    rx="1.5"
                    fill={colour}
                  />
                ),
              );
            }
            const runs = unbroken(places, list);
            return (
              <g key={name}>
                {kind === "area" &&
                  runs.map((run, index) => (
                    <path
                      key={index}
                      fill={colour}
                      opacity="0.14"
                      d={`M${px(run[0]![0])},${py(0)} ${run.map(([at_, v]) => `L${px(at_)},${py(v)}`).join(" ")} L${px(run[run.length - 1]![0])},${py(0)}Z`}
                    />
                  ))}
                {runs.map((run, index) =>
                  run.length === 1 ? (
                    <circle key={index} cx={px(run[0]![0])} cy={py(run[0]![1])} r="2.5" fill={colour} />
                  ) : (
                    <polyline
                      key={index}
                      fill="none"
                      stroke={colour}
                      strokeWidth="1.75"
                      strokeLinejoin="round"
                      strokeDasharray={DASHES[at % 4]}
                      points={run.map(([at_, v]) => `${px(at_)},${py(v)}`).join(" ")}
                    />
                  ),
                )}
              </g>
            );
          })}
          {pointed !== undefined && (
            <line x1={px(pointed)} x2={px(pointed)} y1={TOP} y2={py(0)} stroke="var(--edge)" />
          )}
        </g>
      </svg>
      {under !== null && pointed !== undefined && (
        <div
          aria-hidden="true"
          className="pointer-events-none absolute top-1 z-10 rounded-md border border-line bg-card px-2 py-1 text-xs shadow-md"
          style={px(pointed) > width / 2 ? { right: width - px(pointed) + 8 } : { left: px(pointed) + 8 }}
        >
          <p className="text-soft">{writeX(pointed)}</p>
          {kept.map(([name, list]) => {
            const value = list[under];
            return (
              <p key={name} className="whitespace-nowrap">
                {names[name] ?? name} <b>{value === null || value === undefined ? "–" : format(value)}</b>
              </p>
            );
          })}
        </div>
      )}
    </div>
  );
}

function AsTable({ title, x, places, kept, format, names = {} }: Drawn) {
  const [open, setOpen] = useState(false);
  const span = (places[places.length - 1] ?? 0) - (places[0] ?? 0);
  return (
    <details className="text-xs" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="inline-block rounded text-soft hover:text-ink">
        Values<span className="sr-only"> of {title}</span>
      </summary>
      {open && (
        <div tabIndex={0} role="group" aria-label={`Values of ${title}`} className="mt-1 max-h-48 overflow-auto rounded border border-line">
          <table className="w-full text-right">
            <thead className="sticky top-0 bg-sunk">
              <tr>
                <th scope="col" className="px-2 py-1 text-left font-medium">{x === undefined ? "Time" : "At"}</th>
                {kept.map(([name]) => (
                  <th key={name} scope="col" className="px-2 py-1 font-medium">{names[name] ?? name}</th>
                ))}
              </tr>
            </thead>
            <tbody>
              {places.map((at, index) => (
                <tr key={index} className="border-t border-line">
                  <th scope="row" className="px-2 py-0.5 text-left font-normal">{(x ?? ((one) => onAxis(one, span)))(at)}</th>
                  {kept.map(([name, list]) => {
                    const value = list[index];
                    return (
                      <td key={name} className="px-2 py-0.5">
                        {value === null || value === undefined ? "–" : format(value)}
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}

/** The next number of the form 1, 2 or 5 × 10ⁿ. */
function nice(value: number): number {
  const size = 10 ** Math.floor(Math.log10(value));
  const lead = value / size;
  return (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 5 ? 5 : 10) * size;
}

function spread(places: number[], most: number): number[] {
  if (places.length <= most) return [...new Set(places)];
  const step = (places.length - 1) / (most - 1);
  return [...new Set(Array.from({ length: most }, (_, at) => places[Math.round(at * step)] ?? 0))];
}

/** Cuts a line where a value is not known. */
function unbroken(places: number[], list: (number | null)[]): [number, number][][] {
  const runs: [number, number][][] = [];
  let run: [number, number][] = [];
  list.forEach((value, index) => {
    const at = places[index];
    if (value === null || at === undefined) {
      if (run.length > 0) runs.push(run);
      run = [];
    } else run.push([at, value]);
  });
  if (run.length > 0) runs.push(run);
  return runs;
}
