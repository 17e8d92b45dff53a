// The documentation site, as a reader goes through it: from the first page by the navigation, by a search, on a phone.
import { clipboard, overflow, walk } from "./browser.mjs";

// What a reader would miss: columns that are outside a wide window, anything outside a narrow one without a sign of it,
// drawings that are too small, names that are broken at any letter, and code in a font for text.
function unreadable(width) {
  const found = [];
  const told = (what, box) => found.push(`${what}: ${box.innerText.slice(0, 40).replace(/\s+/g, " ")}`);
  for (const box of document.querySelectorAll("article .md-typeset__scrollwrap, article pre > code, article p:has(> img)")) {
    if (box.scrollWidth <= box.clientWidth) continue;
    if (width >= 1280 && box.matches(".md-typeset__scrollwrap")) told("columns are hidden", box);
    const style = getComputedStyle(box);
    if (style.overflowX !== "auto" || !style.backgroundAttachment.includes("local")) told("no sign of more", box);
  }
  for (const picture of document.querySelectorAll("article img"))
    if (picture.naturalWidth > 600 && picture.width < 600) found.push(`a small drawing: ${picture.alt}`);
  for (const code of document.querySelectorAll("article td code"))
    if (getComputedStyle(code).wordBreak !== "normal") told("broken anywhere", code);
  for (const code of document.querySelectorAll("article code"))
    if (!/DejaVu Sans Mono.*monospace$/.test(getComputedStyle(code).fontFamily)) told("no font for code", code);
  return [...new Set(found)];
}

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

  const wide = {}, unread = [];
  for (const width of [1280, 400]) {
    await page.setViewportSize({ width, height: 800 });
    for (const each of pages) {
      await page.goto(`${url}/${each}`);
      const extra = await overflow(page);
      if (extra > 0) wide[`${each} at ${width}`] = extra;
      unread.push(...(await page.evaluate(unreadable, width)).map((what) => `${each} at ${width}: ${what}`));
      await show(`site-${each.replaceAll("/", "-")}-${width}`);
    }
  }
  return { titles, found, code, wide, unread };
});
