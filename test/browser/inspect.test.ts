import { expect } from 'vitest';
import { inspect } from './inspect.ts';
import { test } from './scene.ts';

const page = (style: string, body: string, attributes = 'lang="en"'): string =>
  `data:text/html,${encodeURIComponent(
    `<!doctype html><html ${attributes}><title>Page</title><meta name="viewport" content="width=device-width"><style>:root{color-scheme:light dark}body{background:Canvas}a{color:light-dark(#00e,#9ef)}${style}</style><main><h1>Page</h1>${body}</main></html>`,
  )}`;

test('the inspection passes a plain page and finds what is wrong with others', async ({ visit }) => {
  await inspect(await visit(page('', '<label>Name <input></label> <a href="#x">A link</a>')));
  for (const [url, finds] of [
    [page('', '', ''), /html-has-lang/],
    [page('', '<input>'), /label/],
    [page('', '<h3>Lower</h3>'), /heading-order/],
    [page('p{color:light-dark(#aaa,#fff)}', '<p>faint in the light</p>'), /color-contrast/],
    [page('p{color:light-dark(#000,#555)}', '<p>faint in the dark</p>'), /color-contrast/],
    [page('div{width:600px}', '<div>wide</div>'), /wider than the screen/],
    [page('a:focus{outline:none}', '<a href="#x">A link</a>'), /the focus shows/],
    [page(':root{color-scheme:light}', ''), /in dark/],
  ] as const) {
    await expect(inspect(await visit(url)), String(finds)).rejects.toThrow(finds);
  }
});
