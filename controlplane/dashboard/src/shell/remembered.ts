/** What this browser remembers; where storage is off, nothing. */

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function write(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // It is forgotten then, which harms nobody.
  }
}

export const lastTenant = () => read("kubeserve.tenant");
export const rememberTenant = (name: string) => write("kubeserve.tenant", name);

export type Theme = "system" | "light" | "dark";

export function theme(): Theme {
  const chosen = read("kubeserve.theme"); // `public/theme.js` reads it too
  return chosen === "light" || chosen === "dark" ? chosen : "system";
}

export function chooseTheme(chosen: Theme): void {
  write("kubeserve.theme", chosen === "system" ? null : chosen);
  if (chosen === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = chosen;
}
