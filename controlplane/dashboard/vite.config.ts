import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";

/** Keeps each asset compressed beside it, so that the server need not do it at each request. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    closeBundle() {
      const folder = join(import.meta.dirname, "dist", "assets");
      for (const name of readdirSync(folder)) {
        if (!/\.(js|css|svg)$/.test(name)) continue;
        const path = join(folder, name);
        const bytes = readFileSync(path);
        writeFileSync(`${path}.gz`, gzipSync(bytes, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(bytes));
      }
    },
  };
}

export default defineConfig({
  base: "/dashboard/",
  plugins: [react(), tailwindcss(), compressed()],
  build: {
    target: "es2022",
    // The content policy takes no data: scripts or styles, and all browsers of this target preload.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  // `npx vite` beside a running `kubeserve up`, for work on the dashboard itself.
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/login", "/logout", "/account", "/assets", "/oauth2"].map((path) => [
        path,
        "http://127.0.0.1:8080",
      ]),
    ),
  },
});
