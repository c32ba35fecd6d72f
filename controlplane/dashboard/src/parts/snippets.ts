import type { Schemas } from "../api/client";

/** The same request as programs make it. The credential is theirs: none of ours is in a page. */
export function snippets(
  endpoint: Schemas["Endpoint"],
  body: unknown,
  tag: string,
): { name: string; label: string; code: string }[] {
  const rows = (body as { rows?: unknown } | null)?.rows ?? body;
  const outputs = (body as { outputs?: string[] } | null)?.outputs ?? [];
  const url = endpoint.revisions.find((one) => one.tag === tag)?.tag_url ?? endpoint.url ?? "https://…";
  // Programs ask for one output a call.
  const calls = outputs.length === 0 ? [null] : outputs;
  const asked = (output: string | null) =>
    [
      JSON.stringify(endpoint.name),
      python(rows),
      ...(output === null ? [] : [`output=${JSON.stringify(output)}`]),
      ...(tag === "" ? [] : [`tag=${JSON.stringify(tag)}`]),
    ].join(", ");
  return [
    {
      name: "curl",
      label: "curl",
      code: [
        "# KEY: an API key of this endpoint, ks_ep_…",
        `curl ${url}/predict \\`,
        `  -H "Authorization: Bearer $KEY" \\`,
        ...(tag === "" ? [] : [`  -H "Knative-Serving-Tag: ${tag}" \\`]),
        `  -H "Content-Type: application/json" \\`,
        `  -d ${quoted(body)}`,
      ].join("\n"),
    },
    {
      name: "python",
      label: "Python",
      code: [
        "from kubeserve import Client",
        "",
        `# of \`kubeserve login\`, or KUBESERVE_URL and KUBESERVE_API_KEY`,
        "with Client() as client:",
        ...calls.map((output) => `    print(client.predict(${asked(output)}))`),
      ].join("\n"),
    },
    {
      name: "cli",
      label: "Command line",
      code: calls
        .map(
          (output) =>
            `kubeserve predict ${endpoint.name} --data ${quoted(rows)}${output === null ? "" : ` --output ${output}`}${tag === "" ? "" : ` --tag ${tag}`}`,
        )
        .join("\n"),
    },
  ];
}

/** JSON as a word of a shell. */
function quoted(value: unknown): string {
  return `'${JSON.stringify(value).replaceAll("'", "'\\''")}'`;
}

/** JSON as Python writes it. */
function python(value: unknown): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value)
      .map(([name, one]) => `${JSON.stringify(name)}: ${python(one)}`)
      .join(", ")}}`;
  return JSON.stringify(value);
}
