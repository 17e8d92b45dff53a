// The documentation site, as a reader goes through it: from the first page by the navigation, by a search, on a phone.
import { clipboard, overflow, walk } from "./browser.mjs";

await walk(async (page, { url, word, pages }, show) => {
  const titles = [];
  const title = async () => titles.push((await page.locator("article h1").innerText()).replace("¶", "").trim());
  await page.goto(`${url}/index.html`);
  await title();
  for (const [i, name] of ["Concepts", "Configuration"].entries()) {
    await page.locator(".md-sidebar--primary").getByRole("link", { name, exact: true }).click();
    await page.waitForURL(`**/${name.toLowerCase()}.html`);
    await title();
    await show(`site-${i}`);
  }

  await page.locator(".md-search__input").click();
  await page.locator(".md-search__input").pressSequentially(word);
  const hit = page.locator(".md-search-result__item a").first();
  await hit.waitFor();
  await show("site-search");
  await hit.click();
  await page.waitForURL(/[?&]h=/);
  const found = await page.locator("article").innerText();

  await page.goto(`${url}/walk.html`);
  const block = page.locator("article .highlight").first();
  await block.hover();
  await block.locator(".md-clipboard, [data-md-type=copy]").first().click();
  const code = { shown: await block.locator("code").innerText(), copied: await clipboard(page) };

  const wide = {};
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 800 });
    for (const each of pages) {
      await page.goto(`${url}/${each}`);
      const extra = await overflow(page);
      if (extra > 0) wide[`${each} at ${width}`] = extra;
      await show(`site-${each}-${width}`);
    }
  }
  return { titles, found, code, wide };
});
