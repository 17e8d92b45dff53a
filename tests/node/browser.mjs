// Chromium with a fresh profile, and what its pages loaded and complained of. One JSON document in, one out.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

export async function walk(steps) {
  const question = JSON.parse(readFileSync(0, "utf8"));
  const browser = await chromium.launch({ executablePath: question.chromium, timeout: 0 });
  try {
    const context = await browser.newContext({ viewport: { width: question.width ?? 1280, height: 900 } });
    context.setDefaultTimeout(question.seconds * 1000);
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    const page = await context.newPage();
    const seen = { complaints: [], failed: [], foreign: [] };
    page.on("console", (said) => ["error", "warning"].includes(said.type()) && seen.complaints.push(said.text()));
    page.on("pageerror", (error) => seen.complaints.push(String(error)));
    // What a page still loads when the next one is opened is aborted, and has not failed.
    const aborted = "net::ERR_ABORTED";
    page.on("requestfailed", (request) => {
        const reason = request.failure()?.errorText;
        if (reason !== aborted) seen.failed.push(`${request.url()}: ${reason}`);
    });
    page.on("response", (response) => response.status() >= 400 && seen.failed.push(`${response.status()} ${response.url()}`));
    page.on("request", (request) => isForeign(request.url(), question.url) && seen.foreign.push(request.url()));
    const show = async (name) => question.shots && page.screenshot({ path: `${question.shots}/${name}-${question.width ?? 1280}.png` });
    const found = await steps(page, question, show);
    process.stdout.write(JSON.stringify({ ...seen, ...found }));
  } finally {
    await browser.close();
  }
}

function isForeign(address, ours) {
  const { origin, protocol } = new URL(address);
  return protocol !== "data:" && protocol !== "blob:" && origin !== new URL(ours).origin;
}

export const clipboard = (page) => page.evaluate(() => navigator.clipboard.readText());

// Pixels that a reader would have to scroll the whole page sideways for.
export const overflow = (page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
