export { type Build, type BuildOptions, buildHandler } from './build.ts';
export { BuildError, type Diagnostic } from './errors.ts';
