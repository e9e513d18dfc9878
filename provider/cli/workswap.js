#!/usr/bin/env node
// Plain JavaScript that every Node can parse: an old one gets one clear sentence instead of a syntax error.
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';

const needed = 24;
const major = Number(process.versions.node.split('.')[0]);
if (major < needed) {
  process.stderr.write(
    `workswap needs Node.js ${needed} or newer; this is ${process.version}. ` +
      'From a checkout, use "npm start" or "npm run -s workswap -- COMMAND": after "npm ci" they bring their own Node.\n',
  );
  process.exit(1);
}
// Half of what a short command costs is parsing: Node keeps the result, in a directory of this user alone. Its threads
// look for it in the environment only.
if (!process.env.NODE_COMPILE_CACHE) {
  process.env.NODE_COMPILE_CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'workswap', 'node');
  module.enableCompileCache();
}
const { main } = await import('./main.ts');
await main(process.argv);
