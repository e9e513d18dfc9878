export { type Build, type BuildOptions, buildHandler } from './build.ts';
export { functionNames, NAMES_FIELD } from './function-names.ts';
export { BuildError, type Diagnostic } from './errors.ts';
