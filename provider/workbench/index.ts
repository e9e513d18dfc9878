/**
 * @packageDocumentation
 *
 * What an author works with before anything is published: a project's files, a state in memory, and the real sandbox to
 * run a handler in. `workswap dev` and `workswap/testing` stand on it.
 */
export { placeOf, type ErrorPlace } from './error-place.ts';
export { ProjectError } from './errors.ts';
export { HandlerRunner, isQuery, type RunRequest, type RunResult } from './handler-runner.ts';
export { DirectoryState } from './directory-state.ts';
export { MemoryState } from './memory-state.ts';
export { NOBODY } from './nobody.ts';
export { newProject, TEMPLATES, type NewProject, type Template } from './new-project.ts';
export { openProject, PROJECT_FILE, type Project } from './project.ts';
