// The documentation page of the service, as a new user tries it: authorise, create a wallet, sign with it, copy.
import { clipboard, overflow, walk } from "./browser.mjs";

await walk(async (page, { url, key, calls }, show) => {
  await page.goto(`${url}/docs`);
  await page.locator(".opblock").first().waitFor();
  await show("api");
  await authorize(page, key, show);
  const answers = [];
  for (const call of calls) answers.push(await tryOut(page, call, answers, show));
  return { answers };
});

async function authorize(page, key, show) {
  await page.getByRole("button", { name: "Authorize" }).click();
  const dialog = page.locator(".dialog-ux .modal-ux");
  const scheme = dialog.locator(".auth-container").filter({ hasText: "Name: X-API-Key" });
  await scheme.locator("input").fill(key);
  await scheme.getByRole("button", { name: "Apply credentials" }).click();
  await scheme.getByRole("button", { name: "Remove authorization" }).waitFor();
  await show("api-authorized");
  await dialog.getByRole("button", { name: "Close" }).last().click();
}

// The example is sent as it stands, for the wallet that the first call made.
async function tryOut(page, operation, earlier, show) {
  const block = page.locator(`.opblock[id$="-${operation}"]`);
  await block.locator(".opblock-summary-control").click();
  await block.getByRole("button", { name: "Try it out" }).click();
  const prefilled = await block.locator('tr[data-param-name="Idempotency-Key"] input').inputValue();
  if (earlier.length > 0) {
    await block.locator('tr[data-param-name="wallet_id"] input').fill(JSON.parse(earlier[0].shown).id);
  }
  await block.getByRole("button", { name: "Execute" }).click();
  const response = block.locator(".live-responses-table .response");
  await response.waitFor();
  const status = (await response.locator(".response-col_status").innerText()).trim().split(/\s/)[0];
  const json = response.locator(".highlight-code").first();
  const shown = await json.locator("code").innerText();
  await json.scrollIntoViewIfNeeded();
  await show(`api-${operation}`);
  await json.locator(".copy-to-clipboard").click();
  const copied = await clipboard(page);
  await block.locator(".curl-command .copy-to-clipboard").click();
  const curl = await clipboard(page);
  return { status, shown, copied, curl, prefilled, wide: await overflow(page), covered: await block.evaluate(covered) };
}

// Text that lies under a button: the beginning of each.
function covered(block) {
  const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  const buttons = [...block.querySelectorAll(".copy-to-clipboard, .download-contents")];
  const over = (text) => buttons.some((each) => meet(each.getBoundingClientRect(), text.getBoundingClientRect()));
  return [...block.querySelectorAll("pre")].filter(over).map((text) => text.innerText.slice(0, 40));
}
