import { join } from 'node:path';
import { env, getuid } from 'node:process';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect, inject, test as base } from 'vitest';
import { chromiumPath } from './chromium.ts';

export const DESKTOP = { width: 1000, height: 800 };
export const PHONE = { width: 360, height: 740 };

/** Opens a page as somebody new: own cookies, own cache. What the page may complain about can be named. */
export type Visit = (url: string, options?: BrowserContextOptions, mayComplain?: RegExp) => Promise<Page>;

interface Fixtures {
  browser: Browser;
  visit: Visit;
}

/** Chromium's own walls need rights that containers do not give to root; every page here is ours. */
const ARGS = getuid?.() === 0 ? ['--no-sandbox'] : [];

const inBrowser = base.extend<Fixtures>({
  browser: [
    // oxlint-disable-next-line no-empty-pattern -- vitest reads from it which fixtures are needed
    async ({}, use) => {
      const browser = await chromium.launch({ executablePath: chromiumPath()!, args: ARGS });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  async visit({ browser }, use) {
    const troubles: string[] = [];
    const pages: Page[] = [];
    await use(async (url, options = {}, mayComplain = /^$/) => {
      const context = await browser.newContext({ viewport: DESKTOP, reducedMotion: 'reduce', ...options });
      const page = await context.newPage();
      pages.push(page);
      watch(page, (trouble) => mayComplain.test(trouble) || troubles.push(trouble));
      await page.goto(url);
      return page;
    });
    await Promise.all(pages.map((page) => page.context().close()));
    expect(troubles, 'what pages complained about').toEqual([]);
  },
});

/** Tests in a browser; without one they are skipped, and test/browser/setup.ts says so. */
export const test = inBrowser.skipIf(chromiumPath() === undefined);

/** What must not happen on any page: a script that fails or that is refused, a dialog, an answer that breaks off. */
function watch(page: Page, complain: (trouble: string) => void): void {
  page.on('pageerror', (error) => complain(`error: ${error.message}`));
  page.on('dialog', (dialog) => {
    if (dialog.type() !== 'alert') return;
    complain(`alert: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('console', (message) => {
    // Statuses are the tests' business.
    const isStatus = /the server responded with a status of 4/.test(message.text());
    if (message.type() === 'error' && !isStatus) complain(`console: ${message.text()}`);
  });
}

/** The address of a service at its own origin. */
export function service(name: string, path = '/'): string {
  const url = new URL(path, inject('scene').gateway);
  url.hostname = `${name}.localhost`;
  return url.href;
}

/** Writes a picture of the READMEs, when `npm run screenshots` asks for it. */
export async function picture(page: Page, path: string): Promise<void> {
  if (env['WORKSWAP_SCREENSHOTS'] !== '1') return;
  await page.mouse.move(0, 0);
  await page.screenshot({ path: join(import.meta.dirname, '..', '..', path) });
}
