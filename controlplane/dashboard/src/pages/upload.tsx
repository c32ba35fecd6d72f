import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState, type DragEvent, type FormEvent } from "react";
import { Link, useSearchParams } from "react-router";
import { ApiProblem, type Schemas } from "../api/client";
import { useApi, useGet, useList, usePath } from "../api/hooks";
import { Cancelled, upload, type Sent, type Upload } from "../api/upload";
import { DeployButton } from "../parts/deploy";
import { NAME, NAME_HINT, nameOf } from "../parts/names";
import { VersionStatus } from "../parts/states";
import { Built } from "../parts/version";
import { Button, ButtonLink, Card, Code, DocumentTitle, PageHead, Problem } from "../ui/basics";
import { TextField } from "../ui/form";
import { bytes, seconds } from "../ui/format";
import { Icon } from "../ui/icons";

type Version = Schemas["Version"];

export default function UploadPage() {
  const path = usePath();
  const [asked] = useSearchParams();
  const [version, setVersion] = useState<Version | null>(null);
  const [isNew, setNew] = useState(true);
  return (
    <>
      <DocumentTitle>Upload a model</DocumentTitle>
      <PageHead
        title="Upload a model"
        back={{ to: path("models"), label: "Models" }}
        says="A file that joblib.dump or pickle.dump wrote, or a bundle with code and requirements of its own."
      />
      <div className="grid max-w-3xl gap-5">
        {version === null ? (
          <Choose
            named={asked.get("model") ?? ""}
            onDone={(done, fresh) => {
              setNew(fresh);
              setVersion(done);
            }}
          />
        ) : (
          <Building pushed={version} isNew={isNew} onAgain={() => setVersion(null)} />
        )}
      </div>
    </>
  );
}

function Choose({ named, onDone }: { named: string; onDone: (version: Version, isNew: boolean) => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const info = useGet<Schemas["Info"]>("/v1/info");
  const models = useList<Schemas["Model"]>("/v1/models?limit=200");
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState(named);
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState<Sent | null>(null);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const [cancelled, setCancelled] = useState(false);
  const running = useRef<Upload | null>(null);
  const picker = useRef<HTMLInputElement>(null);
  const most = info.data?.limits.upload_bytes;
  const tooLarge = file !== null && most !== undefined && file.size > most;
  const badName = name !== "" && !NAME.test(name);
  useEffect(() => {
    if (sent === null) return;
    const stay = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", stay);
    return () => window.removeEventListener("beforeunload", stay);
  }, [sent]);
  useEffect(() => () => running.current?.cancel(), []);

  const take = (chosen: File | undefined) => {
    if (chosen === undefined) return;
    setFile(chosen);
    setProblem(null);
    setCancelled(false);
    if (name === "") setName(nameOf(chosen.name));
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files[0]);
  };
  const start = async (event: FormEvent) => {
    event.preventDefault();
    if (file === null || sent !== null) return;
    setProblem(null);
    setCancelled(false);
    setSent({ bytes: 0, of: file.size, rate: null });
    running.current = upload(api, name, file, setSent);
    try {
      const { version, isNew } = await running.current.result;
      await queries.invalidateQueries();
      onDone(version, isNew);
    } catch (error) {
      if (error instanceof Cancelled) setCancelled(true);
      else if (error instanceof ApiProblem) setProblem(error);
      else throw error;
    } finally {
      running.current = null;
      setSent(null);
    }
  };
  return (
    <Card>
      <form onSubmit={(event) => void start(event)} className="grid gap-4">
        <div
          onDragOver={(event) => {
            event.preventDefault();
            setOver(true);
          }}
          onDragLeave={() => setOver(false)}
          onDrop={drop}
          className={`flex flex-col items-center gap-2 rounded-lg border-2 border-dashed px-4 py-10 text-center ${over ? "border-main bg-tint" : "border-edge bg-sunk"}`}
        >
          <Icon name="upload" className="size-7 text-main" />
          {file === null ? (
            <p>
              <span className="font-medium">Drop the file here</span>
              <span className="block text-soft">{most !== undefined && `up to ${bytes(most)}`}</span>
            </p>
          ) : (
            <p className="wrap-anywhere">
              <span className="font-medium">{file.name}</span>
              <span className="block text-soft">{bytes(file.size)}</span>
            </p>
          )}
          <input
            ref={picker}
            type="file"
            aria-label="Model file"
            className="sr-only"
            tabIndex={-1}
            onChange={(event) => take(event.target.files?.[0])}
          />
          <Button disabled={sent !== null} onClick={() => picker.current?.click()}>
            {file === null ? "Choose a file" : "Choose another"}
          </Button>
        </div>
        {tooLarge && (
          <p role="alert" className="text-bad">
            This file has {bytes(file.size)}; this installation takes up to {bytes(most)}. Its administrator can
            raise KUBESERVE_MAX_UPLOAD_BYTES.
          </p>
        )}
        <TextField
          label="Name of the model"
          name="model"
          required
          list="models"
          value={name}
          disabled={sent !== null}
          onChange={(event) => setName(event.target.value)}
          error={badName ? NAME_HINT : undefined}
          hint="A model of this name gets a new version; a new name makes a model."
        />
        <datalist id="models">
          {models.items.map((model) => (
            <option key={model.name} value={model.name} />
          ))}
        </datalist>
        {sent !== null && <Progress sent={sent} />}
        {problem !== null && <Problem problem={problem} />}
        {cancelled && (
          <p role="status" className="text-soft">
            Cancelled. Nothing was kept of the file.
          </p>
        )}
        <div className="flex flex-wrap justify-end gap-2">
          {sent !== null && <Button onClick={() => running.current?.cancel()}>Cancel</Button>}
          <Button
            look="main"
            type="submit"
            icon="upload"
            busy={sent !== null}
            disabled={file === null || !NAME.test(name) || tooLarge}
          >
            Upload
          </Button>
        </div>
      </form>
      <div className="mt-4 grid gap-1 border-t border-line pt-4">
        <p className="text-soft">The same from a shell; a bundle takes code and packages along:</p>
        <Code label="Command line">
          {`kubeserve push model.joblib --name ${NAME.test(name) ? name : "my-model"}\nkubeserve push model.joblib --name ${NAME.test(name) ? name : "my-model"} --code src --requirements requirements.txt`}
        </Code>
      </div>
    </Card>
  );
}

function Progress({ sent }: { sent: Sent }) {
  const share = sent.of === 0 ? 1 : sent.bytes / sent.of;
  const left = sent.rate === null || sent.rate === 0 ? null : (sent.of - sent.bytes) / sent.rate;
  const whole = sent.bytes >= sent.of;
  return (
    <div>
      <div className="mb-1 flex flex-wrap justify-between gap-x-4">
        <span>{whole ? "Sent; the server compares and keeps it" : "Sending"}</span>
        <span className="text-soft">
          {bytes(sent.bytes)} of {bytes(sent.of)}
          {sent.rate !== null && !whole && `, ${bytes(sent.rate)}/s`}
          {left !== null && !whole && left > 1 && `, ${seconds(Math.ceil(left))} left`}
        </span>
      </div>
      <progress
        aria-label="Upload"
        max={1}
        value={share}
        className="h-2 w-full overflow-hidden rounded-full bg-sunk [&::-webkit-progress-bar]:bg-line [&::-webkit-progress-value]:bg-main"
      />
    </div>
  );
}

const STEPS = ["uploaded", "building", "ready"] as const;

/** From the file's arrival until its build has ended. */
function Building({ pushed, isNew, onAgain }: { pushed: Version; isNew: boolean; onAgain: () => void }) {
  const path = usePath();
  const began = useRef(Date.now());
  const [now, setNow] = useState(Date.now());
  const asked = useGet<Version>(`/v1/models/${pushed.model}/versions/${pushed.number}`, (data) =>
    data?.state === "ready" || data?.state === "failed" ? false : 700,
  );
  const version = asked.data ?? pushed;
  const over = version.state === "ready" || version.state === "failed";
  useEffect(() => {
    if (over) return;
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [over]);
  const at = version.state === "failed" ? 1 : STEPS.indexOf(version.state as (typeof STEPS)[number]);
  const page = path("models", version.model, version.number);
  return (
    <>
      <Card
        title={
          <>
            {version.model} version {version.number}
          </>
        }
        action={<VersionStatus state={version.state} />}
      >
        {!isNew && (
          <p className="mb-3 rounded-md bg-tint px-3 py-2 text-main">
            This very file is here already: it is version {version.number}, so nothing new was made.
          </p>
        )}
        <ol aria-label="Progress" className="grid grid-cols-3 gap-2">
          {["Uploaded", "Build", "Ready"].map((name, index) => {
            const done = index < at || version.state === "ready";
            const current = index === at && !done;
            const bad = version.state === "failed" && index === 1;
            return (
              <li key={name} aria-current={current ? "step" : undefined}>
                <div className={`h-1.5 rounded-full ${bad ? "bg-bad" : done ? "bg-good" : current ? "animate-pulse bg-main" : "bg-line"}`} />
                <span className={current || done ? "" : "text-soft"}>
                  {name}
                  {current && !bad && index === 1 && ` (${((now - began.current) / 1000).toFixed(1)} s)`}
                </span>
              </li>
            );
          })}
        </ol>
        <p role="status" className="mt-3 text-soft">
          {version.state === "uploaded" && "Waiting for a builder. It goes on when you leave this page."}
          {version.state === "building" &&
            (version.reason ?? "Loaded once in a locked sandbox, compiled to a plan, and compared with scikit-learn. It goes on when you leave this page.")}
          {version.state === "ready" && "Ready to be deployed."}
          {version.state === "failed" && "It was refused:"}
        </p>
        {over && (
          <div className="mt-3">
            <Built version={version} />
          </div>
        )}
        <div className="mt-4 flex flex-wrap gap-2">
          {version.state === "ready" && <DeployButton version={version} />}
          <ButtonLink to={page}>Open the version</ButtonLink>
          <Button look="quiet" onClick={onAgain}>
            Upload another
          </Button>
        </div>
      </Card>
      {asked.error !== null && asked.data === undefined && <Problem problem={asked.error} />}
      {version.state === "failed" && (
        <p className="text-soft">
          Every upload is kept as a version, refused ones with their reason.{" "}
          <Link to={page} className="text-main underline">
            What the file loads
          </Link>{" "}
          may help.
        </p>
      )}
    </>
  );
}
