export type BarTone = "main" | "good" | "warn" | "bad";

const FILLS: Record<BarTone, string> = { main: "fill-main", good: "fill-good", warn: "fill-warn", bad: "fill-bad" };

/**
 * A share of one as a bar. Its width is a geometry of SVG, since the content policy allows no style
 * in a page. With a `label` it is a progress that is told; null: how far is not known.
 */
export function Bar({ share, tone = "main", label }: { share: number | null; tone?: BarTone; label?: string }) {
  const now = share === null ? null : Math.min(1, Math.max(0, share));
  const told =
    label === undefined
      ? { "aria-hidden": true as const }
      : {
          role: "progressbar",
          "aria-label": label,
          "aria-valuemin": 0,
          "aria-valuemax": 100,
          ...(now === null ? {} : { "aria-valuenow": Math.round(now * 100) }),
        };
  return (
    <div {...told} className="h-1.5 overflow-hidden rounded-full bg-line">
      <svg width="100%" height="100%" preserveAspectRatio="none" viewBox="0 0 100 1" className="block" aria-hidden="true">
        <rect
          width={now === null ? 100 : now === 0 ? 0 : Math.max(now * 100, 1)}
          height="1"
          className={`${FILLS[tone]} ${now === null ? "animate-pulse opacity-40" : ""}`}
        />
      </svg>
    </div>
  );
}
