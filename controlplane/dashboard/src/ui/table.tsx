import type { ReactNode } from "react";
import { Button } from "./basics";

export interface Column<T> {
  head: string;
  cell: (row: T) => ReactNode;
  /** Numbers stand to the right. */
  right?: boolean;
  /** Shown from this width on; what is left out is on the row's own page. */
  from?: "sm" | "md" | "lg";
}

const FROM = { sm: "hidden sm:table-cell", md: "hidden md:table-cell", lg: "hidden lg:table-cell" };

/** Rows of something. The first column names a row; put its link there. */
export function Table<T>({
  label,
  columns,
  rows,
  rowKey,
  more,
}: {
  label: string;
  columns: Column<T>[];
  rows: T[];
  rowKey: (row: T) => string | number;
  /** Reads the next page of the list; null: that was all. */
  more?: (() => void) | null;
}) {
  return (
    <>
      {/* relative: what is said to screen readers alone is cut off with the rest, not beside the page */}
      <div tabIndex={0} role="group" aria-label={label} className="relative overflow-x-auto rounded-lg">
        <table className="w-full border-collapse text-left">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column.head} scope="col" className={classes(column, "h-9 px-4 text-xs font-medium text-soft whitespace-nowrap")}>
                  {column.head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={rowKey(row)} className="border-t border-line hover:bg-sunk">
                {columns.map((column, at) =>
                  at === 0 ? (
                    <th key={column.head} scope="row" className={classes(column, "px-4 py-2 text-left font-medium")}>
                      {column.cell(row)}
                    </th>
                  ) : (
                    <td key={column.head} className={classes(column, "px-4 py-2")}>
                      {column.cell(row)}
                    </td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more !== undefined && more !== null && (
        <div className="border-t border-line p-2 text-center">
          <Button look="quiet" onClick={more}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function classes<T>(column: Column<T>, base: string): string {
  const where = column.from === undefined ? "" : FROM[column.from];
  return `${base} ${column.right === true ? "text-right" : ""} ${where}`;
}
