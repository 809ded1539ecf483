/**
 * `node bench/gpu/pack.mjs`: puts into .gpu-carry/ (about 36 MB) what a GPU machine without Node and network lacks: this Node, its API's
 * headers and the benchmark as one file. There, `bash bench/gpu/device.sh [options of run.ts]` builds the addon and runs.
 */
import { copyFileSync, createReadStream, createWriteStream, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import { build } from "esbuild";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const carry = join(root, ".gpu-carry");
const headers = createRequire(import.meta.url)("node-api-headers").include_dir;

mkdirSync(join(carry, "include"), { recursive: true });
for (const name of ["node_api.h", "node_api_types.h", "js_native_api.h", "js_native_api_types.h"])
  copyFileSync(join(headers, name), join(carry, "include", name));

// Two folders below the project, as src/torch is: that is how the addon is found.
await build({
  entryPoints: [join(root, "bench", "gpu", "run.ts")],
  outfile: join(carry, "bench", "run.mjs"),
  bundle: true,
  platform: "node",
  format: "esm",
  target: "node20",
  // Dependencies in CommonJS ask for Node's modules by require.
  banner: {
    js: 'import { createRequire as __require } from "node:module"; const require = __require(import.meta.url);',
  },
  logLevel: "warning",
});
await pipeline(createReadStream(process.execPath), createGzip(), createWriteStream(join(carry, "node.gz")));
console.log(`packed into ${carry}`);
