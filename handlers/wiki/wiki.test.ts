import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { testHandler, type TestSite } from '../../provider/testing/index.ts';

const SOURCE = fileURLToPath(new URL('assembly/index.ts', import.meta.url));

let site: TestSite;
beforeEach(async () => {
  site = await testHandler(SOURCE);
});

/** What a browser sends from the form that the page shows. */
async function fields(path: string): Promise<Record<string, string>> {
  const html = (await site.get(path)).text();
  const inputs = html.matchAll(/<input[^>]*type="hidden"[^>]*>/g);
  return Object.fromEntries(
    [...inputs].map(([input]) => [/name="([^"]*)"/.exec(input)?.[1] ?? '', /value="([^"]*)"/.exec(input)?.[1] ?? '']),
  );
}

async function save(page: string, text: string): Promise<Awaited<ReturnType<TestSite['post']>>> {
  return site.post(`/${page}`, { ...(await fields(`/${page}?action=edit`)), action: 'save', text });
}

afterEach(() => site.close());

describe('the wiki', () => {
  test('keeps pages, renders their Markdown and marks links to pages that are missing', async () => {
    expect((await save('Home', '# Welcome\n\nSee [[Nowhere]] and **this**.')).status).toBe(303);
    const page = await site.get('/');
    expect(page.status).toBe(200);
    expect(page.text()).toMatch(/<h[12][^>]*>[^<]*(<[^>]*>)*Welcome/);
    expect(page.text()).toContain('<strong>this</strong>');
    expect(page.text()).toMatch(/<a [^>]*class="missing"[^>]*>|class="missing"/);
    expect((await site.get('/_index')).text()).toContain('Home');
    expect((await site.get('/_search?q=welcome')).text()).toContain('Home');
    expect((await site.get('/_recent')).text()).toContain('Home');
  });

  test('says so when somebody else saved meanwhile, and loses neither text', async () => {
    await save('Page', 'first');
    const stale = await fields('/Page?action=edit');
    await save('Page', 'second');
    const refused = await site.post('/Page', { ...stale, action: 'save', text: 'third' });
    expect(refused.status).toBe(409);
    expect(refused.text()).toContain('third');
    expect((await site.get('/Page')).text()).toContain('second');
  });

  test('keeps old revisions', async () => {
    await save('Page', 'the old words');
    await save('Page', 'the new words');
    const history = (await site.get('/Page?action=history')).text();
    const revision = /\?rev=(\d+)/.exec(history.replaceAll('&amp;', '&'))?.[1];
    expect(revision).toBeDefined();
    const texts = await Promise.all(
      ['1', '2', '0', revision!].map(async (rev) => (await site.get(`/Page?rev=${rev}`)).text()),
    );
    expect(texts.some((text) => text.includes('the old words'))).toBe(true);
  });

  test('runs no markup and no script of those who write, and takes no names that lead elsewhere', async () => {
    await save('Page', '<script>alert(1)</script>\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>');
    const html = (await site.get('/Page')).text();
    expect(html).not.toMatch(/<script>alert|href="javascript|<img src=x/i);
    for (const name of ['/..%2f..', '/%00', '/a%2Fb', `/${'x'.repeat(300)}`]) {
      expect((await site.get(name)).status, name).toBeGreaterThanOrEqual(400);
    }
  });
});
