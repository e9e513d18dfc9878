import { afterAll, expect, it } from 'vitest';
import { testHandler } from 'workswap/testing';

const site = await testHandler('assembly/index.ts');
afterAll(() => site.close());

it('greets by name', async () => {
  expect((await site.get('/?name=Ada')).text()).toBe('Hello, Ada!\n');
  expect((await site.get('/')).text()).toBe('Hello, stranger!\n');
});

it('costs next to nothing', async () => {
  const { fuel, priceBytes } = await site.get('/?name=Ada');
  expect(fuel).toBeLessThan(100_000);
  expect(priceBytes).toBeLessThan(4096);
});
