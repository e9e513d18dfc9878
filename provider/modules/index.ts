/**
 * @packageDocumentation
 *
 * From a CID to a module that can run: found, verified, metered, compiled, and kept.
 */
export { compileModule, type Compiled } from './compile.ts';
export { ModuleError } from './errors.ts';
export { MODULE_LIMITS } from './limits.ts';
export { createModuleLoader } from './loader.ts';
export type { ModuleLoader, ModuleLoaderOptions, ModuleLoaderStats } from './types.ts';
