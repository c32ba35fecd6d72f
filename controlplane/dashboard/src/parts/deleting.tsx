import { useState, type ReactNode } from "react";
import { useNavigate } from "react-router";
import { useAct, usePath } from "../api/hooks";
import { Button, Card } from "../ui/basics";
import { Confirm } from "../ui/dialog";

/** Deletes what a page is about, once its name is typed, and goes to the list of its kind. */
export function DeleteCard({
  what,
  name,
  list,
  says,
  about,
  children,
}: {
  /** "model" or "endpoint". */
  what: string;
  name: string;
  /** Of the API, and of the page to go to. */
  list: "models" | "endpoints";
  says: string;
  about: string;
  children: ReactNode;
}) {
  const [open, setOpen] = useState(false);
  const go = useNavigate();
  const path = usePath();
  const remove = useAct<void>((api) => api.delete(`/v1/${list}/${name}`), {
    touches: [],
    quiet: true,
    says,
    then: () => void go(path(list)),
  });
  return (
    <Card title="Delete">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-soft">{about}</p>
        <Button look="danger" onClick={() => setOpen(true)}>
          Delete this {what}
        </Button>
      </div>
      {open && (
        <Confirm
          title={`Delete ${name}?`}
          action={`Delete the ${what}`}
          typed={name}
          busy={remove.isPending}
          problem={remove.error}
          onConfirm={() => remove.mutate()}
          onClose={() => {
            remove.reset();
            setOpen(false);
          }}
        >
          {children}
        </Confirm>
      )}
    </Card>
  );
}
