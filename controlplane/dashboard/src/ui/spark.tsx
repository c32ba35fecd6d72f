/** The run of a value in a table's cell; what is not known leaves a gap. Its figure stands beside it. */
export function Spark({ values }: { values: (number | null)[] }) {
  const top = Math.max(...values.map((one) => one ?? 0), 0) || 1;
  const step = 80 / Math.max(values.length - 1, 1);
  const runs: string[][] = [[]];
  values.forEach((one, at) => {
    if (one === null) runs.push([]);
    else runs[runs.length - 1]!.push(`${(at * step).toFixed(1)},${(19 - (one / top) * 18).toFixed(1)}`);
  });
  return (
    <svg width="80" height="20" aria-hidden="true" className="inline-block">
      {runs
        .filter((run) => run.length > 1)
        .map((run) => (
          <polyline key={run[0]} points={run.join(" ")} fill="none" stroke="var(--series-1)" strokeWidth="1.5" strokeLinejoin="round" />
        ))}
    </svg>
  );
}
