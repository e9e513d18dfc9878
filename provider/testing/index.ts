/**
 * @packageDocumentation
 *
 * Tests for handlers, in vitest or any other runner: the handler is built if need be and runs in the sandbox that
 * providers run it in, with fuel, memory and price.
 *
 * ```ts
 * import { afterAll, expect, it } from 'vitest';
 * import { testHandler } from 'workswap/testing';
 *
 * const site = await testHandler('assembly/index.ts', { state: { 'next': '1' } });
 * afterAll(() => site.close());
 *
 * it('signs', async () => {
 *   const res = await site.as('alice').post('/sign', { name: 'Ada' });
 *   expect(res.status).toBe(303);
 *   expect(site.state.text('entries/0000000001')).toContain('Ada');
 * });
 * ```
 */
export { testHandler, type TestHandlerOptions } from './test-handler.ts';
export type { TestBody, TestMessage, TestRequest } from './test-request.ts';
export type { SentMessage, TestError, TestResponse } from './test-response.ts';
export type { TestSite } from './test-site.ts';
export type { TestState } from './test-state.ts';
