import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ask } from '../../test/gateway-scene.ts';
import { page, targetOf, visitorOf } from './page.ts';
import type { Host } from './provider.ts';

export interface FirstAnswer {
  /** From the first step of publishing to the first dynamic page, and to the first file of the site. */
  pageMs: number;
  fileMs: number;
}

/** Publishes a service whose handler and site nobody has seen before, and asks for both as soon as it is accepted. */
export async function firstAnswer(host: Host, directory: string, wasm: Uint8Array): Promise<FirstAnswer> {
  const unique = randomUUID();
  const site = join(directory, unique);
  const css = `/* ${unique} */\ntable { border-collapse: collapse; }\n`;
  await mkdir(site);
  await writeFile(join(site, 'style.css'), css);
  await writeFile(join(site, 'about.html'), `<!doctype html>\n<title>About</title>\n<p>${unique}</p>\n`);
  const handler = withCustomSection(wasm, unique);
  const startedMs = performance.now();
  const { name } = await host.publish(unique, handler, site);
  const headers = { host: `${name}.localhost:${host.port}` };
  const answer = await ask(host, targetOf(1), { headers });
  const pageMs = performance.now() - startedMs;
  const file = await ask(host, '/style.css', { headers });
  const fileMs = performance.now() - startedMs;
  if (answer.text !== page(visitorOf(1))) throw new Error(`The new service answered ${answer.status} ${answer.text}`);
  if (file.text !== css) throw new Error(`The new site answered ${file.status} ${file.text}`);
  return { pageMs, fileMs };
}

/** The same program under another CID. */
function withCustomSection(wasm: Uint8Array, text: string): Uint8Array {
  const content = Buffer.from(`\x06unique${text}`);
  return Buffer.concat([wasm, Buffer.of(0, content.length), content]);
}
