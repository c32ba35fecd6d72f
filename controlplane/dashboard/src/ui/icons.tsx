/** Our few icons, 16 × 16, drawn with the text's colour. */

const PATHS = {
  model: "M8 1.5 14 5v6l-6 3.5L2 11V5zM2 5l6 3.5L14 5M8 8.5v6",
  endpoint: "M9 1.5 3 9h4l-.5 5.5L13 7H9z",
  loadtest: "M1.5 13.5h13M3 11V8M6.3 11V5M9.7 11V7M13 11V2.5",
  usage: "M8 1.5a6.5 6.5 0 1 0 6.5 6.5H8z M10.5 1.8a6.3 6.3 0 0 1 3.7 3.7h-3.7z",
  members: "M6 7.5a2.7 2.7 0 1 0 0-5.4 2.7 2.7 0 0 0 0 5.4M1.5 14c.3-3 2-4.5 4.5-4.5s4.200 1.500 4.500 4.500M11 7.300a2.400 2.400 0 0 0 0-4.800M12 9.700c1.600.5 2.400 2 2.500 4.300",
  client: "M2 3h12v8H2zM5.5 14h5M8 11v3",
  key: "M10.500 8.500a3.500 3.500 0 1 0-3.300-2.300L2 11.500V14h3v-1.500h1.500V11H8l1-1.500M11 5h.01",
  audit: "M4 1.5h6L13 4.500v10H4zM6.500 7h4M6.500 9.500h4M6.500 12h2.500",
  webhook: "M8 2v5M4.500 9.500 2 13.500M11.500 9.500l2.500 4M4 14h8M8 7a2.500 2.500 0 1 0 0 .01",
  tenant: "M2 14V5l6-3.500L14 5v9M2 14h12M6 14v-4h4v4",
  drift: "M1.500 11c2 0 2-6 4.500-6s2.500 6 5 6 2-3 3.500-3M1.500 14h13",
  home: "M2 7.500 8 2l6 5.500V14H9.500v-4h-3v4H2z",
  upload: "M8 11V2.500M4.500 5.500 8 2l3.500 3.500M2.500 11v3h11v-3",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10M11 11l3.500 3.500",
  menu: "M2 4h12M2 8h12M2 12h12",
  close: "M3.500 3.500l9 9M12.500 3.500l-9 9",
  copy: "M5.500 5.500v-3h8v8h-3M2.500 5.500h8v8h-8z",
  check: "M3 8.500l3.500 3.500L13 4.500",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M8 1v1.500M8 13.500V15M1 8h1.500M13.500 8H15M3 3l1 1M12 12l1 1M3 13l1-1M12 4l1-1",
  moon: "M13.500 9.500A6 6 0 0 1 6.500 2.500a6 6 0 1 0 7 7",
  system: "M2 3h12v8H2zM5.500 14h5M8 11v3",
  person: "M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6M2.500 14.500c.5-3.500 2.500-5 5.500-5s5 1.500 5.500 5",
  book: "M2.500 2.500h4A1.500 1.500 0 0 1 8 4v10a1.500 1.500 0 0 0-1.500-1.500h-4zM13.500 2.500h-4A1.500 1.500 0 0 0 8 4v10a1.500 1.500 0 0 1 1.500-1.500h4z",
  warn: "M8 2 15 14H1zM8 6.500v3.500M8 12h.01",
  right: "M6 3.500 10.500 8 6 12.500",
  down: "M3.500 6 8 10.500 12.500 6",
  more: "M3.500 8h.01M8 8h.01M12.500 8h.01",
  play: "M4.500 2.500v11L13 8z",
  stop: "M3.500 3.500h9v9h-9z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, className = "" }: { name: IconName; className?: string }) {
  return (
    <svg
      viewBox="0 0 16 16"
      aria-hidden="true"
      className={`inline-block size-4 shrink-0 ${className}`}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.4"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
