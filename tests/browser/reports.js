// Makes the pages under test with the real binary: one of the sample log, one of a log whose names
// try to break out of the page.

import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const HOSTILE = `</script><img src=x onerror="window.broken=1">`;

const binary = process.env.FARTHING;
if (!binary) throw new Error("FARTHING is not set; hint: start the tests with tests/browser/run");

const folder = () => mkdtempSync(join(tmpdir(), "farthing-page-"));
const farthing = (cwd, ...args) => execFileSync(binary, args, { cwd, stdio: "pipe" });

/** The page of the sample log, prompts included. */
export function sampleReport() {
  const cwd = folder();
  farthing(cwd, "demo", "--dir", cwd);
  farthing(cwd, "eval", "router", "sample.parquet", "--show-prompts", "--html", "report.html");
  return join(cwd, "report.html");
}

/** The page of a log in which a model, a context value and every prompt are hostile. */
export function hostileReport() {
  const cwd = folder();
  const rows = [];
  for (let i = 0; i < 2600; i++) {
    const hard = i % 2;
    const request = { prompt: `${HOSTILE} ${hard ? "prove" : "translate"} ${i}`, task: hard ? HOSTILE : "easy" };
    const noise = ((i * 7919) % 100) / 100;
    rows.push({ ...request, model: "dear", score: noise < 0.9 ? 1 : 0, cost_usd: 0.01 });
    rows.push({ ...request, model: HOSTILE, score: noise < (hard ? 0.3 : 0.88) ? 1 : 0, cost_usd: 0.001 });
  }
  writeFileSync(join(cwd, "log.ndjson"), rows.map((row) => JSON.stringify(row)).join("\n") + "\n");
  farthing(cwd, "train", "log.ndjson", "-o", "router", "--context", "task", "--force");
  farthing(cwd, "eval", "router", "log.ndjson", "--show-prompts", "--html", "report.html");
  return join(cwd, "report.html");
}
