import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults, RunOptions } from 'axe-core';
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { DESKTOP, PHONE } from './scene.ts';

const AXE = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/**
 * What every page has to be: readable for programs that read aloud, in enough contrast in the light and in the dark, no
 * wider than a phone, and usable with the keyboard alone.
 */
export async function inspect(page: Page): Promise<void> {
  const looks = [
    { colorScheme: 'light', viewport: DESKTOP },
    { colorScheme: 'dark', viewport: PHONE },
  ] as const;
  for (const { colorScheme, viewport } of looks) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(viewport);
    const where = `${page.url()} in ${colorScheme}, ${viewport.width} wide`;
    const found = await violations(page);
    expect(found, [where, ...found].join('\n')).toEqual([]);
    expect(await tooWide(page), `wider than the screen: ${where}`).toEqual([]);
    expect(await brightness(page), where).toSatisfy((light: number) =>
      colorScheme === 'dark' ? light < 60 : light > 200,
    );
  }
  await inspectKeyboard(page);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(DESKTOP);
}

async function violations(page: Page): Promise<string[]> {
  // Evaluated by the debugger, which no policy of the page forbids.
  await page.evaluate(AXE);
  const results = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(context: Document, options: RunOptions): Promise<AxeResults> };
    };
    return axe.run(document, { resultTypes: ['violations'] });
  });
  return results.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
  );
}

/** Elements that reach over the right edge, unless they scroll in a box of their own. */
async function tooWide(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    return [...document.body.querySelectorAll('*')]
      .filter((element) => element.getBoundingClientRect().right > clientWidth)
      .map((element) => `${element.tagName} ${element.className || element.id}`);
  });
}

/** Of the page's ground, 0 to 255. */
async function brightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const ground = getComputedStyle(document.body).backgroundColor;
    const [red = 0, green = 0, blue = 0] = ground.match(/[\d.]+/g)!.map(Number);
    return (red + green + blue) / 3;
  });
}

/** Tab reaches everything that can be used, and shows where it is. */
async function inspectKeyboard(page: Page): Promise<void> {
  const wanted = await page.evaluate(() => {
    (document.activeElement as HTMLElement | null)?.blur();
    const usable = [
      ...document.querySelectorAll<HTMLElement>('a[href], button, input, select, textarea, summary, [tabindex]'),
    ].filter(
      (element) =>
        element.tabIndex >= 0 && element.matches(':enabled, a, summary, [tabindex]') && element.checkVisibility(),
    );
    for (const [i, element] of usable.entries()) element.dataset['tab'] = String(i);
    return usable.length;
  });
  const reached = new Set<number>();
  for (let i = 0; i < wanted * 2 && reached.size < wanted; i++) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      if (element === document.body) return undefined;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const isShown = outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 1;
      return { tab: Number(element.dataset['tab']), isShown, html: element.outerHTML.slice(0, 120) };
    });
    if (focused === undefined) continue;
    expect(focused.isShown, `the focus shows at ${focused.html}`).toBe(true);
    reached.add(focused.tab);
  }
  expect(reached.size, `Tab reaches all ${wanted} of ${page.url()}`).toBe(wanted);
}
