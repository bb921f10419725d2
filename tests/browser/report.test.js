// The report page as a reader meets it: in a browser, by keyboard, on a phone, in the dark, without
// script, and with names that mean harm.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import axe from "axe-core";
import { chromium } from "playwright-core";

import { HOSTILE, hostileReport, sampleReport } from "./reports.js";

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1200, height: 900 };

let browser;
let report;

before(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
  report = sampleReport();
});

after(() => browser?.close());

/** Opens a page; what it asks for and what it complains of is kept beside it. */
async function open(file, options = {}) {
  const page = await browser.newPage({ viewport: DESK, ...options });
  const requests = [];
  const complaints = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  const url = pathToFileURL(file).href;
  await page.goto(url);
  return { page, requests, complaints, url };
}

test("it is one file that asks for nothing and complains of nothing", async () => {
  const { page, requests, complaints, url } = await open(report);
  await page.locator("#dial").press("ArrowLeft");
  assert.deepEqual(requests, [url]);
  assert.deepEqual(complaints, []);
  const bytes = statSync(report).size;
  assert.ok(bytes <= 5 * 1024 * 1024, `${bytes} bytes`);
  await page.close();
});

test("it opens in less than a second", async (t) => {
  const times = [];
  for (let i = 0; i < 3; i++) {
    const { page } = await open(report);
    times.push(await page.evaluate(() => performance.getEntriesByType("navigation")[0].loadEventEnd));
    await page.close();
  }
  const median = times.sort((a, b) => a - b)[1];
  t.diagnostic(`${statSync(report).size} bytes open in ${median.toFixed(0)} ms, the median of 3`);
  assert.ok(median < 1000, `${times} ms`);
});

test("the slider works by keyboard: figures, bars and the marker follow", async () => {
  const { page } = await open(report);
  const slider = page.getByRole("slider");
  const marker = page.locator("svg.wide .marker[data-track]");
  const state = async () => ({
    spoken: await slider.getAttribute("aria-valuetext"),
    quality: await page.locator('[data-show="quality"]').textContent(),
    cost: await page.locator('[data-show="cost"]').textContent(),
    mix: await page.locator(".dial .mix").innerText(),
    x: (await marker.boundingBox()).x,
  });
  await slider.focus();
  await page.keyboard.press("Home");
  const cheapest = await state();
  await page.keyboard.press("End");
  const best = await state();
  for (const part of Object.keys(best)) assert.notEqual(cheapest[part], best[part], part);
  assert.ok(cheapest.x < best.x, "cheaper is to the left");
  assert.ok(Number(cheapest.cost) < Number(best.cost));
  assert.ok(best.spoken.includes(best.quality), best.spoken);
  await page.keyboard.press("ArrowLeft");
  assert.notEqual((await state()).spoken, best.spoken);
  const live = page.getByRole("status");
  await assert.doesNotReject(live.filter({ hasText: (await state()).spoken }).waitFor({ state: "attached" }));
  await page.close();
});

test("the mix adds up to all requests at every setting", async () => {
  const { page } = await open(report);
  const sums = await page.evaluate(() => {
    const settings = JSON.parse(document.getElementById("dial-data").textContent);
    return settings.map((setting) => setting.mix.reduce((a, b) => a + b, 0));
  });
  assert.ok(sums.length > 10, `${sums.length} settings`);
  for (const sum of sums) assert.ok(Math.abs(sum - 100) < 1, `${sum}`);
  await page.close();
});

test("tables sort by column, both ways, and say so", async () => {
  const { page } = await open(report);
  const table = page.locator("#models table");
  const header = table.getByRole("columnheader", { name: "quality" });
  const keys = () =>
    table.locator("tbody tr").evaluateAll((rows) => rows.map((row) => Number(row.cells[1].dataset.key)));
  await header.getByRole("button").press("Enter");
  assert.equal(await header.getAttribute("aria-sort"), "descending");
  const falling = await keys();
  assert.deepEqual(falling, [...falling].sort((a, b) => b - a));
  await header.getByRole("button").press("Enter");
  assert.equal(await header.getAttribute("aria-sort"), "ascending");
  assert.deepEqual(await keys(), [...falling].reverse());
  await table.getByRole("columnheader", { name: "model" }).getByRole("button").click();
  assert.equal(await table.locator("[aria-sort]").count(), 1);
  await page.close();
});

for (const colorScheme of ["light", "dark"]) {
  for (const [name, viewport] of Object.entries({ DESK, PHONE })) {
    test(`axe finds nothing: ${colorScheme}, ${name.toLowerCase()}`, async () => {
      const { page } = await open(report, { colorScheme, viewport });
      await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
      await page.evaluate(axe.source);
      const { violations, passes } = await page.evaluate(() => axe.run());
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" | ")}`);
      assert.deepEqual(found, []);
      assert.ok(passes.some(({ id }) => id === "color-contrast"), "contrast was measured");
      await page.close();
    });
  }
}

test("a phone shows it without scrolling sideways", async () => {
  for (const file of [report, hostile()]) {
    const { page } = await open(file, { viewport: PHONE });
    await page.evaluate(() => document.querySelectorAll("details").forEach((each) => (each.open = true)));
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wider <= 0, `${wider} px too wide`);
    assert.ok(await page.locator("svg.narrow").isVisible());
    await page.close();
  }
});

test("on paper it is dark on light, whatever the screen is", async () => {
  const { page } = await open(report, { colorScheme: "dark" });
  const lightness = () =>
    page.evaluate(() => getComputedStyle(document.querySelector("h1")).color.match(/\d+/g).reduce((a, b) => a + Number(b), 0) / 3);
  assert.ok((await lightness()) > 200, "light letters on a dark screen");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.ok((await lightness()) < 60, "dark letters on paper");
  assert.ok(await page.locator("nav").isHidden());
  assert.ok((await page.pdf()).length > 10_000);
  await page.close();
});

test("without script everything but slider and sorting is there", async () => {
  const { page, complaints } = await open(report, { javaScriptEnabled: false });
  assert.equal(await page.getByRole("slider").count(), 0);
  assert.ok(await page.getByText("The slider needs script.").isVisible());
  assert.ok(await page.locator("svg.wide").isVisible());
  assert.ok((await page.locator("#models tbody tr").count()) > 1);
  await page.locator(".dial summary").click();
  assert.ok(await page.locator(".dial table").isVisible());
  assert.deepEqual(complaints, []);
  await page.close();
});

test("names and values that mean harm are only text", async () => {
  const { page, requests, complaints, url } = await open(hostile());
  assert.deepEqual(requests, [url]);
  assert.deepEqual(complaints, []);
  assert.equal(await page.evaluate(() => window.broken), undefined);
  assert.equal(await page.locator("img").count(), 0);
  for (const section of ["models", "slices", "worst"]) {
    assert.ok(await page.locator(`#${section}`).getByText(HOSTILE).first().isVisible(), section);
  }
  await page.getByRole("slider").press("Home");
  assert.deepEqual(complaints, []);
  await page.close();
});

let hostileFile;
/** Made once, by the first test that asks. */
function hostile() {
  hostileFile ??= hostileReport();
  return hostileFile;
}
