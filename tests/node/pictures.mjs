// Text of drawings that comes too near to an edge of its box.
import { walk } from "./browser.mjs";

await walk(async (page, { url, pictures, least }) => {
  const tight = [];
  for (const each of pictures) {
    await page.goto(`${url}/${each}`);
    tight.push(...(await page.evaluate(({ name, least }) => {
      const shapes = [...document.querySelectorAll("rect")].map((rect) => rect.getBBox());
      return [...document.querySelectorAll("text")].flatMap((text) => {
        const found = text.getBBox();
        const [x, y] = [found.x + found.width / 2, found.y + found.height / 2];
        const around = shapes.filter((box) => box.x < x && x < box.x + box.width && box.y < y && y < box.y + box.height);
        const box = around.sort((a, b) => a.width - b.width)[0];
        const room = box && Math.min(found.x - box.x, box.x + box.width - found.x - found.width);
        return box && room < least ? [`${name}: ${text.textContent}: ${Math.round(room)}`] : [];
      });
    }, { name: each, least })));
  }
  return { tight };
});
