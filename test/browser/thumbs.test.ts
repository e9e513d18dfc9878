import { expect } from 'vitest';
import { inspect } from './inspect.ts';
import { picture, service, test } from './scene.ts';

const SEAHORSES = 'bafkreifkymohxyneubcfudlqcmjfti3gmouppjm2ljj3fxopdbz5yw5yd4';

test('thumbnails of PNGs on IPFS are computed for the page and for its form', async ({ visit }) => {
  const page = await visit(service('thumbs'), { viewport: { width: 1000, height: 1000 } });
  const sizes = await page.locator('.examples img').evaluateAll(async (images: HTMLImageElement[]) => {
    for (const image of images) image.loading = 'eager';
    await Promise.all(images.map((image) => image.decode()));
    return images.map(({ naturalWidth, naturalHeight }) => [naturalWidth, naturalHeight]);
  });
  expect(sizes).toEqual([
    [320, 240],
    [200, 200],
    [240, 240],
  ]);
  await page.getByLabel('CID of a PNG').fill(SEAHORSES);
  await page.getByLabel('Width').fill('480');
  await page.getByLabel('Height').fill('200');
  await page.getByLabel('Fit').selectOption('cover');
  await page.getByRole('button', { name: 'Make thumbnail' }).press('Enter');
  await page.getByText('480 by 200 pixels').waitFor();
  await picture(page, 'handlers/thumbs/screenshot.png');
  await inspect(page);
});

test('what is no picture is said in words', async ({ visit }) => {
  const page = await visit(service('thumbs'));
  await page.getByLabel('CID of a PNG').fill('<img src=x onerror=alert(1)>');
  await page.getByRole('button', { name: 'Make thumbnail' }).click();
  const status = page.getByRole('status');
  await status.and(page.locator('.bad')).waitFor();
  expect(await status.textContent()).toMatch(/CID/);
  await inspect(page);
});
