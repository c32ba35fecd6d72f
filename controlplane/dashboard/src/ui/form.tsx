import {
  useId,
  type InputHTMLAttributes,
  type ReactNode,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from "react";

const BOX =
  "block w-full min-h-8 rounded-md border border-edge bg-card px-2.5 py-1 text-ink disabled:opacity-60 aria-invalid:border-bad";

interface Said {
  label: ReactNode;
  hint?: ReactNode;
  error?: string | undefined;
}

/** A label, what it labels, a hint and what is wrong; the control gets the ids of both. */
export function Field({
  label,
  hint,
  error,
  children,
}: Said & { children: (ids: { id: string; "aria-describedby"?: string; "aria-invalid"?: true }) => ReactNode }) {
  const id = useId();
  const told = [hint !== undefined && `${id}-hint`, error !== undefined && `${id}-error`].filter(
    (one) => one !== false,
  );
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      {children({
        id,
        ...(told.length > 0 ? { "aria-describedby": told.join(" ") } : {}),
        ...(error !== undefined ? { "aria-invalid": true as const } : {}),
      })}
      {hint !== undefined && (
        <p id={`${id}-hint`} className="mt-1 text-xs text-soft">
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className="mt-1 text-xs text-bad">
          {error}
        </p>
      )}
    </div>
  );
}

export function TextField({ label, hint, error, ...rest }: Said & InputHTMLAttributes<HTMLInputElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <input autoComplete="off" {...rest} {...ids} className={BOX} />}
    </Field>
  );
}

export function TextArea({ label, hint, error, ...rest }: Said & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <textarea rows={6} spellCheck={false} {...rest} {...ids} className={`${BOX} font-mono text-xs`} />}
    </Field>
  );
}

export function SelectField({ label, hint, error, ...rest }: Said & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(ids) => <select {...rest} {...ids} className={BOX} />}
    </Field>
  );
}

export function Check({ label, hint, ...rest }: Said & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId();
  return (
    <div className="flex items-start gap-2">
      <input
        type="checkbox"
        id={id}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
        {...rest}
        className="mt-0.5 size-4 shrink-0 accent-main"
      />
      <div>
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint !== undefined && (
          <p id={`${id}-hint`} className="text-xs text-soft">
            {hint}
          </p>
        )}
      </div>
    </div>
  );
}
