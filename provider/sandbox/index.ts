/**
 * @packageDocumentation
 *
 * Runs handlers: strangers' WASM modules, metered in fuel and memory, on worker threads, with the host ABI and nothing
 * else. `docs/sandbox.md` describes the ABI, the limits and the guarantees.
 */
export { assertAbi, hasDeliver, isWasiCommand } from './abi/check.ts';
export { ABI_LIMITS, LOG_LIMITS } from './abi/limits.ts';
export { abiVersion, CALL_PRICES, setupFuel } from './abi/prices.ts';
export { CALL_SIGNATURES, IMPORT_MODULE } from './abi/signatures.ts';
export { Engine } from './engine/engine.ts';
export { InstanceCache } from './engine/instance-cache.ts';
export type { Instance } from './engine/instance.ts';
export type { Host } from './engine/host.ts';
export { JobEnd, OUTCOME_FAULTS, QueueFullError, SandboxError, type OutcomeCode } from './errors.ts';
export { execute } from './execute.ts';
export { defaultLimits, defaultsOf, SANDBOX_LIMITS, type Limit, type SandboxLimits } from './limits.ts';
export { createNodeHost, type FileAccess } from './node-host.ts';
export { raceSignal } from './race-signal.ts';
export { createSandbox, PRIORITY_MAX, type SandboxOptions } from './sandbox.ts';
export type {
  FileSize,
  JobBudget,
  JobLimits,
  JobSpec,
  LoadedModule,
  LogLine,
  Outcome,
  OutcomeError,
  ReadFile,
  RunOptions,
  Sandbox,
  SandboxStats,
  StateChanges,
  StateEntry,
  StateStat,
  StateView,
} from './types.ts';
export { WORKER_START_FILE, workerEnv } from './worker-env.ts';
