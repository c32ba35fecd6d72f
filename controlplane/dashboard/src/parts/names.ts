/** Names of models, endpoints, aliases and tags, as the API takes them. */

export const NAME = /^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/;
export const NAME_HINT = "1 to 40 lower-case letters, digits and dashes; a letter first, no dash at the end.";

/** The name that a file suggests: `Iris Model v2.joblib` → `iris-model-v2`. */
export function nameOf(file: string): string {
  return file
    .toLowerCase()
    .replace(/\.(joblib|pkl|pickle|zip|gz|xz|bz2)$/g, "")
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
}
